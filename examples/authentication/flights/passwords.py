"""A password is checked, and its hash stored anew where Django's hashers ask for another one."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX, check_password, make_password
from django.db import connection

from . import configured


class Renewing(ModelBackend):
    """Django's backend would end the user's other sessions for it, and overwrite what was set meanwhile."""

    def authenticate(
        self, request: Any, username: Any = None, password: Any = None, **_more: Any
    ) -> Any:
        user = get_user_model().objects.filter(username=username, is_active=True).first()
        stored = user.password if user else UNUSABLE_PASSWORD_PREFIX  # takes a hash as well
        asked: list[str] = []
        if not check_password(password, stored, asked.append):
            return None
        if user and asked:
            user.password = make_password(password)
            if not configured.families().renew(connection, user.pk, stored, user.password):
                # Another login was faster, or another password.
                return self.authenticate(request, username, password)
        return user
