"""The WSGI entry point: what the Procfile serves. Each process follows the list from its first moment."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

from bans import configured  # noqa: E402 -- reads settings, which exist by now

BOOT_SECONDS = 10

follower = configured.follower()
follower.start()
# Without a list it would let everybody in. With neither file nor database that is better than no service.
follower.ready.wait(BOOT_SECONDS)
