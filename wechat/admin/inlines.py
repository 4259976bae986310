"""Rows of a table within another row's form. The theme names a column in its head only, which tells nobody what a field is."""

from typing import Any

from django.http import HttpRequest
from django.utils.text import capfirst
from unfold.admin import TabularInline


class NamedInline(TabularInline):  # type: ignore[misc]
    """A TabularInline whose fields say their column's name to who cannot see it."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **options)
        if field is not None:
            widget = getattr(field.widget, "widget", field.widget)  # Django wraps the choice of another row
            widget.attrs["aria-label"] = capfirst(str(field.label or db_field.verbose_name))
        return field
