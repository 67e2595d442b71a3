"""The list for a browser: the same refusals as everywhere, and nothing that escapes the changes.

Django's own log of the admin stays empty: it would keep networks that are to be forgotten, and every
change is written down by the database already, see `Change`.
"""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from shield.addresses import account, meant

from bans import ledger, wiring
from bans.ledger import Actor, Refused
from bans.models import Ban, Change, Feed

if TYPE_CHECKING:
    Admin = admin.ModelAdmin[Any]
    Form = forms.ModelForm[Ban]
else:
    Admin, Form = admin.ModelAdmin, forms.ModelForm


def actor(request: HttpRequest) -> Actor:
    client = wiring.client_of(request.META)
    return Actor(f"admin {request.user}", account(client) if client else None)


class Written(Admin):
    """What is never deleted."""

    def has_delete_permission(self, *_: Any, **__: Any) -> bool:
        return False

    def log_addition(self, *_: Any) -> None:  # type: ignore[override]  # see the module
        return None

    log_change = log_addition  # type: ignore[assignment]


class BanForm(Form):
    network = forms.CharField(max_length=60, help_text="a CIDR, or an address")
    actor: ClassVar[Actor]

    class Meta:
        model = Ban
        fields = ("network", "kind", "scope", "shadow", "reason", "expires")

    def clean_network(self) -> str:
        try:
            return str(meant(self.cleaned_data["network"]))
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if {"network", "kind"} <= found.keys():
            network, kind = meant(found["network"]), found["kind"]
            try:
                ledger.guard(network, self.actor, kind, found.get("expires"))
            except Refused as error:
                raise forms.ValidationError({"network": str(error)}) from None
            if Ban.objects.active().filter(network=str(network), kind=kind).exists():
                raise forms.ValidationError({"network": f"{network} is in the list already"})
        return found

    def validate_constraints(self) -> None:
        """Leave that to the database: an expired ban gives way, see schema.sql."""


@admin.register(Ban)
class BanAdmin(Written):
    form = BanForm
    list_display = ("network", "kind", "scope", "shadow", "source", "reason", "expires", "lifted")
    list_filter = ("kind", "scope", "shadow", "source", ("lifted", admin.EmptyFieldListFilter))
    search_fields = ("network", "reason")
    ordering = ("-pk",)
    actions = ("lift",)

    def get_form(
        self, request: HttpRequest, obj: Ban | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.actor = actor(request)
        return form

    def get_readonly_fields(self, request: HttpRequest, obj: Ban | None = None) -> tuple[str, ...]:
        del request
        seen_only = ("source", "evidence", "starts", "lifted")
        return ("network", "kind", *seen_only) if obj else ()

    def save_model(self, request: HttpRequest, obj: Ban, form: BanForm, change: bool) -> None:
        if change:
            ledger.alter(obj, actor(request), **form.cleaned_data)
            return
        fields = form.cleaned_data | {"source": "operator"}
        ban, _ = ledger.add(meant(fields.pop("network")), actor(request), **fields)
        obj.pk = ban.pk

    @admin.action(description="Lift", permissions=["change"])
    def lift(self, request: HttpRequest, bans: "QuerySet[Ban]") -> None:
        count = ledger.lift([ban.pk for ban in bans], actor(request))
        self.message_user(request, f"{count} lifted", messages.SUCCESS)


@admin.register(Feed)
class FeedAdmin(Written):
    """What a feed contains comes from `manage.py bans import` and the API."""

    list_display = ("name", "version", "networks", "shadow", "imported", "expires")
    fields = ("name", "version", "networks", "digest", "imported", "shadow", "expires")
    readonly_fields = ("name", "version", "networks", "digest", "imported")
    actions = ("drop",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        del request
        return False

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Feed]":
        return super().get_queryset(request).defer("run")

    def save_model(self, request: HttpRequest, obj: Feed, form: Any, change: bool) -> None:
        del form, change
        with ledger.written_by(actor(request)):
            obj.save(update_fields=["shadow", "expires"])

    @admin.action(description="Empty", permissions=["change"])
    def drop(self, request: HttpRequest, feeds: "QuerySet[Feed]") -> None:
        for feed in feeds:
            ledger.drop_feed(feed.name, actor(request))
        self.message_user(request, "emptied", messages.SUCCESS)


@admin.register(Change)
class ChangeAdmin(Written):
    """Who changed what: to read."""

    list_display = ("seq", "at", "actor", "what")
    list_filter = ("actor",)
    ordering = ("-seq",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        del request
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False

    def what(self, change: Change) -> str:
        after = change.after
        if "version" in after:
            return f"feed {after['name']}, version {after['version']}: {after['networks']} networks"
        done = "lifted" if after["lifted"] else "changed" if change.before else "added"
        return f"{after['kind']} {after['network'] or 'forgotten'}: {done}"
