"""Quotes side by side, for who has the links of all of them.

The codes stand in the path, where a link's own code stands too, and no page of ours tells a referrer. Which links a visitor has
opened is known to his browser alone (static/js/compare.js).
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe

from orders import compare
from orders.links import Link, link_of
from orders.models import Order, Profile
from orders.sharing import name_of
from orders.views.quotes import private
from wechat import brands

LONGEST = 200  # characters of a code; ours have under 70
_CODE = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Column:
    """One quote of the page; `order` is None where the link opens nothing, and nobody is told why."""

    number: int
    code: str
    order: Order | None = None
    name: str = ""

    @property
    def letter(self) -> str:
        """What the column is called beside its name, which others may have too."""
        return "ABCD"[self.number - 1]


@require_safe
@private
@sensitive_variables("codes")
def choose(request: HttpRequest) -> HttpResponse:
    """From the form of a shared page on to the comparison: `with` is there two to four times, each a code or a whole link."""
    codes = list(dict.fromkeys(code for said in request.GET.getlist("with") if (code := code_in(said))))
    if compare.FEWEST <= len(codes) <= compare.MOST:
        return redirect("compared", "/".join(codes))
    boxes = (codes + [""] * compare.MOST)[: compare.MOST]
    return render(request, "orders/compare_choose.html", {"boxes": boxes, "most": compare.MOST})


@require_safe
@private
def side_by_side(request: HttpRequest, codes: str) -> HttpResponse:
    """The comparison. A link that opens nothing any more is named; if none opens, there is no page."""
    asked = list(dict.fromkeys(codes.split("/")))
    if not compare.FEWEST <= len(asked) <= compare.MOST:
        raise Http404
    links = [link_of(code) for code in asked]
    columns = [_column(number, code, link) for number, (code, link) in enumerate(zip(asked, links, strict=True), 1)]
    shown = [column for column in columns if column.order]
    orders = [column.order for column in shown if column.order]
    if not orders:
        raise Http404
    one_account = len({order.account_id for order in orders}) == 1
    context = {
        **(brands.shown(orders[0].account) if one_account else {}),
        "columns": shown,
        "gone": [column for column in columns if column.order is None],
        "totals": compare.totals(orders),
        "figures": compare.figures(orders),
        "lines": compare.lines(orders),
    }
    return render(request, "orders/compare.html", context)


def code_in(said: str) -> str:
    """The code in what somebody pasted: a whole link, or the code alone. Empty when there is none."""
    text = said.strip()
    try:
        path = urlsplit(text).path if "/" in text else f"/s/{text}/"
    except ValueError:
        return ""
    match = re.search(r"/s/([^/]+)/?$", unquote(path))
    code = match[1] if match else ""
    return code if _CODE.fullmatch(code) and len(code) <= LONGEST else ""


def _column(number: int, code: str, link: Link | None) -> Column:
    if link is None:
        return Column(number, code)
    profile = Profile.objects.filter(scan=link.scan).first()
    return Column(number, code, link.order, name_of(link, profile))
