"""Quotes on the firm's own website: who may frame what, who may read what, and the script that is pasted there."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.test import Client
from quotes import quote

from orders.models import Order, PricePlan
from wechat import conf
from wechat.models import Account
from wechat.simulator.server import SimulatorServer

pytestmark = pytest.mark.django_db
FIRM, SHOP = "https://www.firm.example", "https://shop.firm.example:8443"
ALL_ELSE = ["", "code", "status", "qr.svg", "qr.png"]


@pytest.fixture
def allowed(account: Account) -> Account:
    """`demo`, whose quotes may be shown on two websites, and which offers an instant quote."""
    conf.save(account, {"wechat_embed_origins": f"{FIRM}\n{SHOP}"})
    PricePlan.objects.create(account=account, name="半包", price=599, market_price=690)
    return account


def ancestors(response: HttpResponse) -> str:
    """Who may frame this page, by its policy."""
    (found,) = [part for part in response["Content-Security-Policy"].split(";") if "frame-ancestors" in part]
    return found.strip()


def pages(order: Order) -> list[str]:
    return [f"{order.get_absolute_url()}embed/", f"{order.get_absolute_url()}embed/?numbers", "/quotes/new/demo/embed/"]


def test_the_named_websites_may_frame_the_pages_for_it_and_nobody_else(
    client: Client, order: Order, allowed: Account, simulator: SimulatorServer
) -> None:
    for page in pages(order):
        response = client.get(page)
        assert response.status_code == 200
        assert ancestors(response) == f"frame-ancestors {FIRM} {SHOP}"
        assert "X-Frame-Options" not in response
        assert "default-src 'none'" in response["Content-Security-Policy"]


def test_without_a_named_website_nobody_may_frame_anything(
    client: Client, order: Order, simulator: SimulatorServer
) -> None:
    PricePlan.objects.create(account=order.account, name="半包", price=599, market_price=690)
    for page in pages(order):
        response = client.get(page)
        assert ancestors(response) == "frame-ancestors 'none'"
        assert response["X-Frame-Options"] == "DENY"


def test_all_other_pages_stay_out_of_frames(
    client: Client, order: Order, allowed: Account, simulator: SimulatorServer
) -> None:
    for page in ("/", "/quotes/new/demo/", "/admin/login/", *(order.get_absolute_url() + end for end in ALL_ELSE)):
        response = client.get(page)
        assert ancestors(response) == "frame-ancestors 'none'", page
        assert response["X-Frame-Options"] == "DENY", page


def test_the_websites_of_another_account_may_not_frame_it(
    client: Client, allowed: Account, simulator: SimulatorServer
) -> None:
    other = quote(Account.objects.create(slug="other", name="Other"), 5)
    assert ancestors(client.get(f"{other.get_absolute_url()}embed/")) == "frame-ancestors 'none'"


def test_the_frame_shows_the_code_and_its_state_and_no_more(
    client: Client, order: Order, allowed: Account, simulator: SimulatorServer
) -> None:
    html = client.get(f"{order.get_absolute_url()}embed/").content.decode()
    assert 'data-state="waiting"' in html
    assert "<svg" in html
    assert "56,000" not in html
    assert "王女士" not in html
    assert "56,000" in client.get(f"{order.get_absolute_url()}embed/?numbers").content.decode()


def test_an_unknown_key_is_an_unknown_page(client: Client, allowed: Account) -> None:
    assert client.get(f"/quotes/{'x' * 22}/embed/").status_code == 404
    assert client.get("/quotes/new/nobody/embed/").status_code == 404


def test_a_framed_form_leads_to_the_framed_quote(client: Client, allowed: Account) -> None:
    plan = PricePlan.objects.get()
    response = client.post("/quotes/new/demo/embed/", {"room_area": "89", "plan": plan.pk})
    assert response.status_code == 303
    assert response["Location"] == f"{Order.objects.get().get_absolute_url()}embed/?numbers"


@pytest.mark.parametrize("end", ["status", "qr.svg", "qr.png"])
def test_the_named_websites_may_read_the_state_and_the_picture(
    client: Client, order: Order, allowed: Account, simulator: SimulatorServer, end: str
) -> None:
    path = f"{order.get_absolute_url()}{end}"
    for origin in (FIRM, SHOP):
        assert client.get(path, headers={"origin": origin})["Access-Control-Allow-Origin"] == origin
    for origin in (
        "https://evil.example",
        "null",
        FIRM.replace("https", "http"),
        f"{FIRM}.evil.example",
        f"{FIRM}/",
        "",
    ):
        response = client.get(path, headers={"origin": origin})
        assert response.status_code == 200
        assert "Access-Control-Allow-Origin" not in response
    assert "Origin" in client.get(path)["Vary"]
    assert "Access-Control-Allow-Credentials" not in client.get(path, headers={"origin": FIRM})


def test_nothing_else_can_be_read_from_another_website(
    client: Client, order: Order, allowed: Account, simulator: SimulatorServer
) -> None:
    for path in (*pages(order), order.get_absolute_url(), f"{order.get_absolute_url()}code", "/quotes/new/demo/", "/"):
        assert "Access-Control-Allow-Origin" not in client.get(path, headers={"origin": FIRM}), path


def test_the_script_is_kept_for_long_and_loads_nothing(client: Client) -> None:
    response = client.get("/embed.js")
    assert response["Content-Type"].startswith("text/javascript")
    assert set(response["Cache-Control"].split(", ")) == {"public", "max-age=604800"}
    script = response.content.decode()
    assert "fetch(" not in script
    assert "import" not in script
    assert not response.cookies


@pytest.mark.parametrize(
    "line",
    [
        "www.firm.example",
        "http://www.firm.example",
        "https://www.firm.example/",
        "https://www.firm.example/page",
        "https://*.firm.example",
        "*",
        "'self'",
        "https:",
        "https://Firm.example",
        "https://a.example; script-src *",
        "https://a.example,https://b.example",
        "https://user@firm.example",
        "javascript:alert(1)",
        "null",
    ],
)
def test_what_is_no_origin_is_refused(account: Account, line: str) -> None:
    with pytest.raises(ValidationError):
        conf.save(account, {"wechat_embed_origins": f"{FIRM}\n{line}"})


@pytest.mark.parametrize("line", ["http://127.0.0.1:8080", "http://localhost", "https://xn--fiqs8s.example:8443"])
def test_an_origin_on_this_machine_may_do_without_https(account: Account, line: str) -> None:
    conf.save(account, {"wechat_embed_origins": line})


def test_staff_find_the_line_to_paste(staff: Client, order: Order, allowed: Account) -> None:
    html = staff.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    snippet = f'<script src="http://127.0.0.1:8000/embed.js" data-quote="{order.key}" async></script>'
    assert escaped(snippet) in html
    assert FIRM in html
    plan = staff.get(f"/admin/orders/priceplan/{PricePlan.objects.get().pk}/change/").content.decode()
    assert escaped('data-account="demo"') in plan


def test_staff_are_told_when_no_website_is_named(staff: Client, order: Order) -> None:
    html: Any = staff.get(f"/admin/orders/order/{order.pk}/change/", headers={"accept-language": "en"})
    assert escaped("data-quote=") in html.content.decode()
    assert FIRM not in html.content.decode()


def escaped(text: str) -> str:
    return text.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
