"""Routes of the lab. Pages have the same tree as the exported site; `actions` are for the key's holder."""

from django.urls import path, re_path

from nexus.lab import actions, search, views

handler404 = views.missing

urlpatterns = [
    path("", views.home, name="home"),
    path("events/", actions.events, name="events"),
    path(search.NAME, views.search_index, name="search"),
    path("static/<path:path>", views.static, name="static"),
    re_path(r"^(?P<path>(?:docs|resources)/.*)$", views.hub_page, name="hub"),
    path("runs/<int:number>/chart/", actions.chart, name="chart"),
    path("runs/<int:number>/cancel/", actions.cancel, name="cancel"),
    path("runs/<int:number>/fault/", actions.fault, name="fault"),
    path("<slug:name>/", views.example, name="example"),
    path("<slug:name>/operating.html", views.operating, name="operating"),
    path("<slug:name>/start/", actions.start, name="start"),
    path("<slug:name>/stop/", actions.stop, name="stop"),
    path("<slug:name>/claims/<slug:claim>/run/", actions.run, name="run"),
    path("<slug:name>/logs/<str:program>/", actions.logs, name="logs"),
    path("<slug:name>/files/<path:path>.html", views.file, name="file"),
]
