"""What staff can do in the admin: run a push again, send a message again, revoke, make a key, write a quote."""

from datetime import timedelta
from typing import Any

import pytest
from callback import OPENID, Callback
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders.models import Order, Scan
from wechat import routing
from wechat.models import Account, ApiKey, Follower, Lease, OutgoingMessage, Push

YES = {"_form_submitted": "True"}  # what the dialog's button sends
State = OutgoingMessage.State


@pytest.fixture
def failed(push: Callback, order: Order, worker_alive: Lease) -> Push:
    """A scan of quote 77 whose handler failed."""
    push.scan("77")
    Scan.objects.all().delete()
    OutgoingMessage.objects.all().delete()
    Push.objects.update(state=Push.State.FAILED, error="Traceback …")
    return Push.objects.get()


@pytest.fixture
def message(failed: Push, staff: Client) -> OutgoingMessage:
    """The card of that scan, given up."""
    staff.post(reverse("admin:wechat_push_run_again", args=[failed.pk]), YES)
    OutgoingMessage.objects.update(state=State.GIVEN_UP, errcode=45015, error="45015", attempts=3)
    return OutgoingMessage.objects.get()


def page(row: Any, name: str = "change") -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{name}", args=[row.pk])


def test_a_failed_push_is_run_again(failed: Push, staff: Client) -> None:
    assert page(failed, "run_again") in staff.get(page(failed)).content.decode()
    staff.post(page(failed, "run_again"), YES)
    failed.refresh_from_db()
    assert (failed.state, failed.error) == (Push.State.DONE, "")
    assert Scan.objects.get().pk == failed.pk
    shown = staff.get(page(failed)).content.decode()
    assert page(OutgoingMessage.objects.get()) in shown
    assert page(Scan.objects.get()) in shown


def test_asking_changes_nothing(failed: Push, staff: Client) -> None:
    assert staff.get(page(failed, "run_again")).status_code == 200
    staff.post(page(failed, "run_again"), {})
    failed.refresh_from_db()
    assert failed.state == Push.State.FAILED


def test_running_again_needs_the_forms_token(failed: Push, staff: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = staff.cookies
    assert strict.post(page(failed, "run_again"), YES).status_code == 403


def test_a_viewer_cannot_run_a_push_again(failed: Push, viewer: Client) -> None:
    assert page(failed, "run_again") not in viewer.get(page(failed)).content.decode()
    assert viewer.post(page(failed, "run_again"), YES).status_code == 403
    chosen = {"action": "run_chosen_again", "_selected_action": [failed.pk]}
    viewer.post(reverse("admin:wechat_push_changelist"), chosen)
    failed.refresh_from_db()
    assert failed.state == Push.State.FAILED


def test_a_push_that_has_not_failed_is_left_alone(push: Callback, order: Order, staff: Client) -> None:
    push.scan("77")
    row = Push.objects.get()
    assert page(row, "run_again") not in staff.get(page(row)).content.decode()
    staff.post(page(row, "run_again"), YES)
    assert OutgoingMessage.objects.count() == 1


def test_an_error_of_the_handler_is_told_politely(failed: Push, staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_contact: Any) -> None:
        raise RuntimeError("<b>secret=abcdefghijkl</b>")

    monkeypatch.setitem(routing._handlers, "qr", [broken])
    response = staff.post(page(failed, "run_again"), YES, follow=True)
    text = response.content.decode()
    assert response.status_code == 200
    assert "RuntimeError: &lt;b&gt;secret=***" in text
    failed.refresh_from_db()
    assert failed.state == Push.State.FAILED


def test_several_are_run_again_at_once(failed: Push, staff: Client) -> None:
    chosen = {"action": "run_chosen_again", "_selected_action": [failed.pk]}
    staff.post(reverse("admin:wechat_push_changelist"), chosen)
    failed.refresh_from_db()
    assert failed.state == Push.State.DONE


def test_the_dialog_goes_on_to_the_row(failed: Push, staff: Client) -> None:
    response = staff.post(page(failed, "run_again"), YES, headers={"HX-Request": "true"})
    assert response.headers["HX-Redirect"] == page(failed)


def test_records_cannot_be_edited_nor_deleted(failed: Push, staff: Client) -> None:
    assert staff.post(page(failed), {"raw": "x"}).status_code == 403
    assert staff.post(page(failed, "delete"), {"post": "yes"}).status_code == 403
    assert staff.get(reverse("admin:wechat_push_add")).status_code == 403


def test_a_stuck_message_goes_out_again_while_its_window_is_open(message: OutgoingMessage, staff: Client) -> None:
    staff.post(page(message, "send_once_more"), YES)
    message.refresh_from_db()
    assert (message.state, message.attempts, message.errcode) == (State.WAITING, 0, None)
    assert message.due_at <= timezone.now()
    assert LogEntry.objects.filter(object_id=str(message.pk)).exists()


def test_after_its_window_it_is_owed(message: OutgoingMessage, staff: Client) -> None:
    OutgoingMessage.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    for _time in range(2):
        staff.post(page(message, "send_once_more"), YES)
        message.refresh_from_db()
        assert message.state == State.OWED
        assert Follower.objects.get(openid=OPENID).owed == 1


def test_an_owed_message_that_goes_out_is_owed_no_more(message: OutgoingMessage, staff: Client) -> None:
    OutgoingMessage.objects.update(state=State.OWED)
    Follower.objects.update(owed=1)
    staff.post(page(message, "send_once_more"), YES)
    message.refresh_from_db()
    assert (message.state, Follower.objects.get(openid=OPENID).owed) == (State.WAITING, 0)


def test_an_account_without_the_permission_never_sends_by_the_api(message: OutgoingMessage, staff: Client) -> None:
    Account.objects.update(kind="subscription")
    staff.post(page(message, "send_once_more"), YES)
    message.refresh_from_db()
    assert message.state == State.OWED


@pytest.mark.parametrize("state", [State.SENT, State.WAITING, State.SENDING])
def test_what_is_not_stuck_is_not_sent_again(state: str, message: OutgoingMessage, staff: Client) -> None:
    OutgoingMessage.objects.update(state=state)
    staff.post(page(message, "send_once_more"), YES)
    message.refresh_from_db()
    assert message.state == state


def test_a_viewer_cannot_send_again(message: OutgoingMessage, viewer: Client) -> None:
    assert page(message, "send_once_more") not in viewer.get(page(message)).content.decode()
    assert viewer.post(page(message, "send_once_more"), YES).status_code == 403


def test_a_return_code_is_explained(message: OutgoingMessage, staff: Client) -> None:
    assert "回复时间超限" in staff.get(page(message)).content.decode()


def test_a_shared_link_is_revoked(message: OutgoingMessage, staff: Client, viewer: Client) -> None:
    scan = Scan.objects.get()
    assert viewer.post(page(scan, "revoke"), YES).status_code == 403
    assert staff.get(scan.get_absolute_url()).status_code == 200
    staff.post(page(scan, "revoke"), YES)
    assert staff.get(scan.get_absolute_url()).status_code == 404
    assert page(scan, "revoke") not in staff.get(page(scan)).content.decode()


def test_a_key_is_shown_once(staff: Client, db: None) -> None:
    form = {"name": "官网", "scopes": ["quotes:write"], "expiry_date_0": "", "expiry_date_1": ""}
    first = staff.post(reverse("admin:wechat_apikey_add"), form, follow=True)
    key = ApiKey.objects.get()
    shown = next(word for word in str(next(iter(first.context["messages"]))).split() if word.startswith(key.prefix))
    assert ApiKey.objects.is_valid(shown)
    assert key.scopes == ["quotes:write"]
    log = " ".join(entry.get_change_message() for entry in LogEntry.objects.all())
    secret = shown.partition(".")[2]
    for text in (staff.get(reverse("admin:wechat_apikey_changelist")).content.decode(), log):
        assert secret not in text
    assert secret not in staff.get(page(key)).content.decode()


def test_a_key_opens_nothing_after_it_is_revoked(staff: Client, viewer: Client) -> None:
    key, secret = ApiKey.objects.create_key(name="官网", scopes=["quotes:read"])
    assert viewer.post(page(key, "revoke"), YES).status_code == 403
    staff.post(page(key, "revoke"), YES)
    assert not ApiKey.objects.is_valid(secret)
    assert staff.post(page(key), {"name": "again"}).status_code == 403


def quote(**changes: Any) -> dict[str, Any]:
    own = {"customer": "李先生", "room_area": "100", "total_money": "56000", "saved_money": "0"}
    sets = {f"{name}-{key}": "0" for name in ("items", "scans") for key in ("TOTAL_FORMS", "INITIAL_FORMS")}
    return {**own, **sets, **changes}


def test_a_quote_written_here_gets_a_number_and_keeps_it(account: Account, staff: Client) -> None:
    line = {"items-TOTAL_FORMS": "1", "items-0-name": "水电", "items-0-quantity": "1", "items-0-amount": "5.5"}
    staff.post(
        reverse("admin:orders_order_add"), quote(account=account.pk, orderid="", **line, **{"items-0-position": "0"})
    )
    order = Order.objects.get()
    assert 10_000_000 <= order.orderid < 100_000_000
    assert order.items.get().name == "水电"
    staff.post(page(order), quote(orderid="5", customer="赵先生"))
    changed = Order.objects.get()
    assert (changed.orderid, changed.customer) == (order.orderid, "赵先生")


def test_a_taken_number_is_answered_at_its_field(order: Order, account: Account, staff: Client) -> None:
    response = staff.post(reverse("admin:orders_order_add"), quote(account=account.pk, orderid="77"))
    assert set(response.context["adminform"].form.errors) == {"orderid"}


def test_a_quote_shows_its_links_and_its_scans(message: OutgoingMessage, order: Order, staff: Client) -> None:
    text = staff.get(page(order)).content.decode()
    assert f"http://127.0.0.1:8000{order.get_absolute_url()}" in text
    assert f"http://127.0.0.1:8000{Scan.objects.get().get_absolute_url()}" in text
    assert OPENID not in text


def test_a_quote_goes_with_its_scans(message: OutgoingMessage, order: Order, staff: Client) -> None:
    staff.post(page(order, "delete"), {"post": "yes"})
    assert not Order.objects.exists()
    assert not Scan.objects.exists()


@pytest.mark.parametrize("term", ["77", "王女士", "王"])
def test_a_quote_is_found_by_number_and_customer(term: str, order: Order, staff: Client) -> None:
    found = staff.get(reverse("admin:orders_order_changelist"), {"q": term}).context["cl"].queryset
    assert list(found) == [order]


def test_money_is_easy_to_read(order: Order, staff: Client) -> None:
    text = staff.get(reverse("admin:orders_order_changelist")).content.decode()
    assert "¥56,000" in text
    assert "88.50 ㎡" in text
