"""Buttons on a row's page that change something: each asks first, and only the answer (a POST with its token) acts."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.utils.functional import Promise
from unfold.decorators import action

F = TypeVar("F", bound=Callable[..., Any])
Words = str | Promise


def asks_first(name: Words, *, question: Words, consequence: Words, icon: str, permission: str) -> Callable[[F], F]:
    """Make a method `(self, request, form, object_id)` such a button. `permission` names `has_<permission>_permission`."""
    dialog = {"title": question, "description": consequence, "form_submit_text": name}
    made: Any = action(description=name, permissions=[permission], icon=icon, dialog=dialog)
    return made  # type: ignore[no-any-return]  # the theme's decorator is untyped
