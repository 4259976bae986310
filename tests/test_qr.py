"""Codes: made once for a scene, used again while valid, drawn so that a phone reads exactly their address."""

import io
import re
import threading
from datetime import timedelta
from typing import Any

import pytest
import segno
import zxingcpp
from django.db import connections
from django.db.models import F
from django.utils import timezone
from PIL import Image

from wechat import channel_codes, client, conf, leases, qr
from wechat.conf import AccountConfig
from wechat.errors import CallFailed, PlatformError, Unreachable
from wechat.models import Account, ChannelCode, QRCode
from wechat.simulator.server import SimulatorServer

CREATE = "/cgi-bin/qrcode/create"
URLS = ["http://weixin.qq.com/q/02AbCdEf", "http://127.0.0.1:9000/q/" + "x" * 60, "https://example.com/?a=1&b=报价#x"]


def made(simulator: SimulatorServer) -> int:
    return len(simulator.platform.journal.find(kind="code", limit=1000))


def test_a_code_has_all_that_the_platform_said(config: AccountConfig, simulator: SimulatorServer) -> None:
    code = qr.code_for(config, 77)
    [noted] = simulator.platform.journal.find(kind="code")
    assert (code.scene, code.url, noted["scene"]) == ("77", noted["url"], "77")
    assert code.ticket
    assert code.expires_at
    assert code.expires_at - code.created_at == timedelta(seconds=1800)


def test_a_valid_code_is_used_again(config: AccountConfig, simulator: SimulatorServer) -> None:
    assert {qr.code_for(config, 77).pk for _ in range(5)} == {qr.code_for(config, 77).pk}
    assert made(simulator) == 1
    qr.code_for(config, 78)
    assert made(simulator) == 2


@pytest.mark.parametrize("seconds_left", [-1, 3])
def test_an_expired_or_expiring_code_is_made_anew(
    seconds_left: int, config: AccountConfig, simulator: SimulatorServer
) -> None:
    old = qr.code_for(config, 77)
    QRCode.objects.update(expires_at=timezone.now() + timedelta(seconds=seconds_left))
    assert qr.code_for(config, 77).pk != old.pk
    assert made(simulator) == 2


def test_the_validity_is_a_setting_of_the_account(account: Account, simulator: SimulatorServer) -> None:
    conf.save(account, {"wechat_qr_expire_seconds": "604800"})
    code = qr.code_for(conf.account_by_id(account.pk), 77)
    assert code.expires_at
    assert code.expires_at - code.created_at == timedelta(days=7)


@pytest.mark.parametrize("scene", [1, 4_294_967_295, "报价", "x" * 64])
def test_these_scenes_are_taken(scene: Any, config: AccountConfig, simulator: SimulatorServer) -> None:
    assert qr.code_for(config, scene).scene == str(scene)


@pytest.mark.parametrize("scene", [0, -1, 4_294_967_296, "", "x" * 65, True, 1.5, None])
def test_these_scenes_are_refused_without_a_call(scene: Any, config: AccountConfig, simulator: SimulatorServer) -> None:
    with pytest.raises(ValueError, match="scene"):
        qr.code_for(config, scene)
    assert simulator.platform.counters["calls"] == 0


@pytest.mark.parametrize("code", [-1, 45009, 40001, 48001])
def test_a_failure_is_raised_and_remembered_for_a_few_seconds(
    code: int, config: AccountConfig, simulator: SimulatorServer
) -> None:
    simulator.platform.faults.set(kind="errcode", match=CREATE, errcode=code)
    with pytest.raises(PlatformError):
        qr.code_for(config, 77)
    calls = simulator.platform.counters["calls"]
    for scene in (77, 78):
        with pytest.raises(PlatformError) as caught:
            qr.code_for(config, scene)
        assert caught.value.code == code
    assert simulator.platform.counters["calls"] == calls
    assert not QRCode.objects.exists()


def test_after_a_failure_it_works_again_by_itself(
    config: AccountConfig, simulator: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qr, "FAILURE_LASTS", 0.0)
    simulator.platform.faults.set(kind="html", match=CREATE, remaining=1)
    with pytest.raises(Unreachable):
        qr.code_for(config, 77)
    assert qr.code_for(config, 77)


def test_while_the_api_is_failing_no_page_waits_for_it(config: AccountConfig, simulator: SimulatorServer) -> None:
    leases.extend(f"circuit:{config.id}", 60)
    with pytest.raises(Unreachable):
        qr.code_for(config, 77)
    assert simulator.platform.counters["calls"] == 0


def test_a_code_being_made_by_a_process_that_died_is_made_anew(
    config: AccountConfig, simulator: SimulatorServer
) -> None:
    leases.claim(f"code:{config.id}:77", "killed", 0.2)
    assert qr.code_for(config, 77)


@pytest.mark.django_db(transaction=True)
def test_people_who_open_one_page_at_once_get_one_code(config: AccountConfig, simulator: SimulatorServer) -> None:
    simulator.platform.faults.set(kind="slow", match=CREATE, seconds=0.2)
    start, got = threading.Barrier(6), []

    def load() -> None:
        start.wait()
        try:
            got.append(qr.code_for(config, 77).pk)
        except CallFailed as error:
            got.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=load) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [QRCode.objects.get().pk] * 6
    assert made(simulator) == 1


def read(image: Image.Image) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(image)]


@pytest.mark.parametrize("url", URLS)
def test_the_png_reads_back_to_exactly_the_address(url: str) -> None:
    image = Image.open(io.BytesIO(qr.png(url)))
    assert read(image) == [url]
    assert 300 <= image.width <= 500


@pytest.mark.parametrize("url", URLS)
def test_the_svg_reads_back_to_exactly_the_address(url: str) -> None:
    assert read(drawn(qr.svg(url))) == [url]


def drawn(svg: str) -> Image.Image:
    """The SVG's one path of horizontal strokes as a picture: `M x y h length`, `m dx dy`."""
    box = re.search(r'viewBox="0 0 (\d+) (\d+)"', svg)
    path = re.search(r' d="([^"]+)"', svg)
    assert box
    assert path
    image = Image.new("L", (int(box[1]), int(box[2])), 255)
    x = y = 0.0
    for command, arguments in re.findall(r"([Mmh])([^Mmh]*)", path[1]):
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", arguments)]
        if command == "M":
            x, y = numbers
        elif command == "m":
            x, y = x + numbers[0], y + numbers[1]
        else:
            for step in range(int(numbers[0])):
                image.putpixel((int(x) + step, int(y)), 0)
            x += numbers[0]
    return image.resize((image.width * 8, image.height * 8), Image.Resampling.NEAREST)


def test_the_svg_can_stand_in_a_page() -> None:
    svg = qr.svg(URLS[0])
    assert svg.startswith("<svg ")
    assert "script" not in svg
    assert segno.make(URLS[0], error="m", micro=False).symbol_size(border=2) == (33, 33)


def test_the_platforms_own_picture_has_its_ticket_encoded(simulator: SimulatorServer) -> None:
    address = client.code_image_url("gQ/a+b==&x")
    assert address == f"{simulator.url}/cgi-bin/showqrcode?ticket=gQ%2Fa%2Bb%3D%3D%26x"


# Permanent codes, and codes made beside a valid one.


@pytest.mark.parametrize("scene", [1, 100_000, "报价", "x" * 64])
def test_a_permanent_code_never_ends_and_is_made_once(
    scene: Any, config: AccountConfig, simulator: SimulatorServer
) -> None:
    code = qr.new_code(config, scene, seconds=None)
    assert (code.kind, code.expires_at, code.scene) == ("permanent", None, str(scene))
    assert qr.new_code(config, scene, seconds=None) == code
    assert qr.valid_code(config.id, str(scene)) == code
    assert qr.code_for(config, scene) == code
    assert made(simulator) == 1
    [noted] = simulator.platform.journal.find(kind="code")
    assert noted["expires"] is None


@pytest.mark.parametrize("scene", [0, 100_001, "", "x" * 65])
def test_these_scenes_are_refused_for_a_permanent_code(
    scene: Any, config: AccountConfig, simulator: SimulatorServer
) -> None:
    with pytest.raises(ValueError, match="scene"):
        qr.new_code(config, scene, seconds=None)
    assert simulator.platform.counters["calls"] == 0


def test_a_new_temporary_code_stands_beside_the_old_one_and_the_longest_is_shown(
    config: AccountConfig, simulator: SimulatorServer
) -> None:
    old = qr.code_for(config, "spring")
    new = qr.new_code(config, "spring", seconds=86_400)
    assert new.pk != old.pk
    assert qr.valid_code(config.id, "spring") == new
    assert new.expires_at
    assert new.expires_at - new.created_at == timedelta(days=1)


def test_a_code_of_one_kind_is_not_taken_for_the_other(config: AccountConfig, simulator: SimulatorServer) -> None:
    temporary = qr.code_for(config, "spring")
    assert qr.valid_code(config.id, "spring", kind=QRCode.Kind.PERMANENT) is None
    permanent = qr.new_code(config, "spring", seconds=None)
    assert qr.valid_code(config.id, "spring") == permanent
    assert qr.valid_code(config.id, "spring", kind=QRCode.Kind.TEMPORARY) == temporary


def test_a_code_for_paper_lasts_a_week_at_least(config: AccountConfig, simulator: SimulatorServer) -> None:
    qr.code_for(config, 77)  # for half an hour
    code = qr.lasting_code(config, 77)
    assert code.expires_at
    assert code.expires_at > timezone.now() + timedelta(days=29)
    assert qr.lasting_code(config, 77) == code


@pytest.mark.parametrize("code", [-1, 45009, 45029, 48001])
def test_a_code_that_could_not_be_made_leaves_nothing_and_blocks_nothing(
    code: int, config: AccountConfig, simulator: SimulatorServer
) -> None:
    simulator.platform.faults.set(kind="errcode", match=CREATE, errcode=code, remaining=1)
    with pytest.raises(PlatformError) as caught:
        qr.new_code(config, "spring", seconds=None)
    assert caught.value.code == code
    assert not QRCode.objects.exists()
    assert qr.new_code(config, "spring", seconds=None)


@pytest.mark.django_db(transaction=True)
def test_two_workers_who_renew_one_scene_at_once_get_one_code(
    config: AccountConfig, simulator: SimulatorServer
) -> None:
    simulator.platform.faults.set(kind="slow", match=CREATE, seconds=0.2)
    start, got = threading.Barrier(2), []

    def renew() -> None:
        start.wait()
        try:
            got.append(qr.new_code(config, "spring", seconds=86_400).pk)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=renew) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [QRCode.objects.get().pk] * 2


# The worker keeps the codes of channels.


def channel(account: Account, scene: str = "spring", **fields: Any) -> ChannelCode:
    row = ChannelCode.objects.create(account=account, **{"name": "春季活动", "scene": scene, **fields})
    channel_codes.plan(row)
    return row


@pytest.fixture
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_codes, "PACE", 0.0)


@pytest.mark.usefixtures("_no_pauses")
def test_new_channel_codes_get_their_codes_a_few_a_turn(account: Account, simulator: SimulatorServer) -> None:
    rows = [channel(account, f"scene_{number}") for number in range(5)]
    assert channel_codes.make_due() == 2
    assert made(simulator) == 3
    assert channel_codes.make_due() == 0
    assert [bool(channel_codes.code_of(row)) for row in rows] == [True] * 5
    assert channel_codes.make_due() == 0
    assert made(simulator) == 5


@pytest.mark.usefixtures("_no_pauses")
@pytest.mark.parametrize(
    ("fields", "left", "renewed"),
    [
        ({"days": 30}, timedelta(days=6, hours=1), False),
        ({"days": 30}, timedelta(days=5, hours=23), True),
        ({"days": 3}, timedelta(hours=25), False),
        ({"days": 3}, timedelta(hours=23), True),
        ({"days": 1}, timedelta(hours=13), False),
        ({"days": 1}, timedelta(hours=11), True),
        ({"days": 30, "renew": False}, timedelta(hours=-1), False),
        ({"days": 30, "enabled": False}, timedelta(hours=1), False),
        ({"days": 30, "kind": "permanent"}, timedelta(days=-400), False),
    ],
)
def test_a_code_is_renewed_when_a_fifth_or_a_day_of_its_life_is_left(
    account: Account, simulator: SimulatorServer, fields: dict[str, Any], left: timedelta, renewed: bool
) -> None:
    row = channel(account, **fields)
    first = channel_codes.make(row)
    if first.expires_at:  # as if the time had passed
        shift = first.expires_at - timezone.now() - left
        QRCode.objects.update(created_at=first.created_at - shift, expires_at=first.expires_at - shift)
        ChannelCode.objects.exclude(due_at=None).update(due_at=F("due_at") - shift)
    channel_codes.make_due()
    assert made(simulator) == (2 if renewed else 1)


@pytest.mark.usefixtures("_no_pauses")
@pytest.mark.parametrize(
    ("fault", "wait"),
    [(-1, timedelta(seconds=30)), (48001, timedelta(minutes=10)), (45029, None)],
)
def test_a_failed_renewal_is_kept_for_staff_and_tried_again_later(
    account: Account, simulator: SimulatorServer, fault: int, wait: timedelta | None
) -> None:
    row = channel(account)
    simulator.platform.faults.set(kind="errcode", match=CREATE, errcode=fault, remaining=1)
    channel_codes.make_due()
    row.refresh_from_db()
    assert str(fault) in row.error
    assert channel_codes.make_due() == 0
    assert made(simulator) == 0
    if wait is None:
        assert row.due_at is None
        return
    assert row.due_at
    assert timedelta(0) < row.due_at - timezone.now() <= wait
    ChannelCode.objects.update(due_at=timezone.now())
    channel_codes.make_due()
    row.refresh_from_db()
    assert (row.error, made(simulator)) == ("", 1)


@pytest.mark.usefixtures("_no_pauses")
def test_nothing_is_asked_while_the_api_is_failing(account: Account, simulator: SimulatorServer) -> None:
    channel(account)
    leases.extend(f"circuit:{account.pk}", 60)
    channel_codes.make_due()
    assert simulator.platform.counters["calls"] == 0
