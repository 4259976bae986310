"""The theme's own words that staff meet: it brings no Chinese, so our catalogue has to know them."""

from django.utils.translation import gettext_noop

WORDS = (
    gettext_noop("Access Attempt"),
    gettext_noop("Add row"),
    gettext_noop("All applications"),
    gettext_noop("Apply Filters"),
    gettext_noop("Attempt Time"),
    gettext_noop("Cancel"),
    gettext_noop("Changes"),
    gettext_noop("Choose file to upload"),
    gettext_noop("Click to cancel"),
    gettext_noop("Dark"),
    gettext_noop("Date"),
    gettext_noop("Expires"),
    gettext_noop("False"),
    gettext_noop("General"),
    gettext_noop("Go back"),
    gettext_noop("IP Address"),
    gettext_noop("Light"),
    gettext_noop("Logout Time"),
    gettext_noop("More actions"),
    gettext_noop("Next"),
    gettext_noop("No data"),
    gettext_noop("No results found"),
    gettext_noop("No results matching your query"),
    gettext_noop("Previous"),
    gettext_noop("Record picture"),
    gettext_noop("Reset filters"),
    gettext_noop("Return to site"),
    gettext_noop("Run"),
    gettext_noop("Select action"),
    gettext_noop("Select action to run"),
    gettext_noop("Select all rows"),
    gettext_noop("Select record"),
    gettext_noop("Select value"),
    gettext_noop("Submit"),
    gettext_noop("System"),
    gettext_noop("This item will be deleted."),
    gettext_noop("This page yielded into no results. Create a new item or reset your filters."),
    gettext_noop("Toggle password visibility"),
    gettext_noop("True"),
    gettext_noop("Type to search"),
    gettext_noop("User Agent"),
    gettext_noop("Username"),
    gettext_noop("You have been successfully logged out from the administration"),
    gettext_noop("access attempt"),
    gettext_noop("access attempts"),
    gettext_noop("access log"),
    gettext_noop("access logs"),
    gettext_noop(
        "Are you sure you want to delete the selected %(objects_name)s?"
        " All of the following objects and their related items will be deleted:"
    ),
    gettext_noop(
        'Are you sure you want to delete the %(object_name)s "%(escaped_object)s"?'
        " All of the following related items will be deleted:"
    ),
    gettext_noop("Account locked: too many login attempts. Please try again later."),
    gettext_noop("After you've created a user, you’ll be able to edit more user options."),
)
