"""The simulator's files: what it takes, how long it keeps it, and where the phone shows it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from simulated import APPID, Api, platform

from wechat.simulator.endpoints.file_rules import kind_of
from wechat.simulator.samples import PHOTOS, own_file
from wechat.simulator.server import SimulatorServer

UPLOAD, GET, PICTURE = "/cgi-bin/media/upload", "/cgi-bin/media/get", "/cgi-bin/media/uploadimg"
ADD, FETCH, DELETE = (f"/cgi-bin/material/{name}" for name in ("add_material", "get_material", "del_material"))
COUNT, LIST = "/cgi-bin/material/get_materialcount", "/cgi-bin/material/batchget_material"
JPEG, PNG, GIF = b"\xff\xd8\xff\xe0jpeg", b"\x89PNG\r\n\x1a\npng", b"GIF89a"
AMR, MP3, MP4 = b"#!AMR\n", b"ID3\x03", b"\x00\x00\x00\x18ftypmp42"
MB = 1024 * 1024


@pytest.fixture
def api() -> Iterator[Api]:
    with SimulatorServer(platform()) as server:
        yield Api(server)


def upload(api: Api, content: bytes = JPEG, kind: str = "image", name: str = "a.jpg") -> dict[str, Any]:
    return api.upload(UPLOAD, (name, content), type=kind)


def test_a_temporary_file_can_be_fetched_for_three_days(api: Api) -> None:
    answer = upload(api, name="plan.jpg")
    assert (answer["type"], answer["created_at"]) == ("image", int(api.platform.clock.now()))
    fetched = api.raw("GET", GET, media_id=answer["media_id"])
    assert fetched.content == JPEG
    assert fetched.headers["Content-Type"] == "image/jpeg"
    assert fetched.headers["Content-disposition"] == 'attachment; filename="plan.jpg"'
    api.platform.clock.advance(3 * 86400 - 60)
    assert api.raw("GET", GET, media_id=answer["media_id"]).content == JPEG
    api.platform.clock.advance(61)
    assert api.get(GET, media_id=answer["media_id"])["errcode"] == 40007
    upload(api)
    assert answer["media_id"] not in api.account.media


@pytest.mark.parametrize(
    ("content", "kind", "errcode"),
    [
        (JPEG, "image", 0),
        (PNG, "image", 0),
        (GIF, "image", 0),
        (b"BM", "image", 40005),
        (b"<svg></svg>", "image", 40005),
        (b"MZ\x90", "image", 40005),
        (b"", "image", 44001),
        (JPEG.ljust(10 * MB + 1), "image", 40009),
        (JPEG.ljust(20 * MB + 1), "image", 40006),
        (AMR, "voice", 0),
        (MP3, "voice", 0),
        (JPEG, "voice", 40005),
        (AMR.ljust(2 * MB + 1), "voice", 40010),
        (MP4, "video", 0),
        (AMR, "video", 40005),
        (MP4.ljust(10 * MB + 1), "video", 40011),
        (JPEG.ljust(64 * 1024), "thumb", 0),
        (JPEG.ljust(64 * 1024 + 1), "thumb", 40012),
        (PNG, "thumb", 40005),
        (JPEG, "news", 40004),
        (JPEG, "", 40004),
    ],
)
def test_form_and_size_of_a_file_are_checked(api: Api, content: bytes, kind: str, errcode: int) -> None:
    answer = upload(api, content, kind)
    assert answer.get("errcode", 0) == errcode
    if errcode:
        assert " rid: " in answer["errmsg"]
    else:
        assert answer["thumb_media_id" if kind == "thumb" else "media_id"] in api.account.media


def test_an_upload_needs_the_field_media_with_an_ascii_file_name(api: Api) -> None:
    assert api.upload(UPLOAD, None, type="image")["errcode"] == 41005
    assert api.upload(UPLOAD, None, form={"media": "x"}, type="image")["errcode"] == 41005
    assert upload(api, name="户型图.jpg")["errcode"] == 41005
    assert api.upload(UPLOAD, None, form={"media": "x" * 600_000}, type="image")["errcode"] == 41005


def test_a_video_is_fetched_by_its_address(api: Api) -> None:
    media_id = upload(api, MP4, "video")["media_id"]
    address = api.get(GET, media_id=media_id)["video_url"]
    answer = requests.get(address, timeout=5)
    assert (answer.content, answer.headers["Content-Type"]) == (MP4, "video/mp4")


@pytest.mark.parametrize(("query", "errcode"), [({}, 41006), ({"media_id": "unknown"}, 40007)])
def test_an_unknown_file_cannot_be_fetched(api: Api, query: dict[str, str], errcode: int) -> None:
    assert api.get(GET, **query)["errcode"] == errcode


def test_what_followers_send_can_be_fetched(api: Api) -> None:
    api.person()
    api.server.phone.send_picture("oPerson", PHOTOS[0])
    api.server.phone.send_voice("oPerson")
    photo, voice = api.account.media
    assert kind_of(api.raw("GET", GET, media_id=photo).content) == "image/jpeg"
    assert kind_of(api.raw("GET", GET, media_id=voice).content) == "audio/amr"


def test_an_uploaded_picture_is_sent_and_shown_on_the_phone(api: Api) -> None:
    person = api.person()
    person.windows.open("user_msg", api.platform.clock.now())
    photo = own_file(PHOTOS[0])
    assert photo is not None
    media_id = upload(api, photo[0])["media_id"]
    message = {"touser": "oPerson", "msgtype": "image", "image": {"media_id": media_id}}
    assert api.code("/cgi-bin/message/custom/send", message) == 0
    shown = requests.get(api.server.url + person.chat[-1]["picture"], timeout=5)
    assert (shown.content, shown.headers["Content-Type"]) == photo
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert requests.get(f"{api.server.url}/media/unknown", timeout=5).status_code == 404
    api.platform.clock.advance(4 * 86400)
    person.windows.open("user_msg", api.platform.clock.now())
    assert api.code("/cgi-bin/message/custom/send", message) == 40007


@pytest.mark.parametrize(("content", "errcode"), [(JPEG, 0), (PNG, 0), (GIF, 40005), (PNG.ljust(MB + 1), 40009)])
def test_a_picture_for_articles_gets_an_address(api: Api, content: bytes, errcode: int) -> None:
    answer = api.upload(PICTURE, ("a.png", content))
    assert answer.get("errcode", 0) == errcode
    if not errcode:
        assert requests.get(answer["url"], timeout=5).content == content
        assert api.get(COUNT)["image_count"] == 0


def test_a_permanent_file_is_listed_fetched_and_deleted(api: Api) -> None:
    first = api.upload(ADD, ("one.jpg", JPEG), type="image")
    api.platform.clock.advance(30 * 86400)
    second = api.upload(ADD, ("two.bmp", b"BMxx"), type="image")
    api.upload(ADD, ("three.amr", AMR), type="voice")
    assert api.get(COUNT) == {"voice_count": 1, "video_count": 0, "image_count": 2, "news_count": 0}
    listed = api.post(LIST, {"type": "image", "offset": 0, "count": 1})
    assert (listed["total_count"], listed["item_count"]) == (2, 1)
    assert listed["item"][0]["name"] == "two.bmp"
    assert listed["item"][0]["url"] == second["url"]
    rest = api.post(LIST, {"type": "image", "offset": 1, "count": 20})["item"]
    assert [item["media_id"] for item in rest] == [first["media_id"]]
    assert api.raw("POST", FETCH, {"media_id": first["media_id"]}).content == JPEG
    assert api.code(DELETE, {"media_id": first["media_id"]}) == 0
    assert api.code(FETCH, {"media_id": first["media_id"]}) == 40007
    assert requests.get(first["url"], timeout=5).status_code == 404


def test_a_permanent_video_has_a_title(api: Api) -> None:
    form = {"description": json.dumps({"title": "案例", "introduction": "三居"}, ensure_ascii=False)}
    media_id = api.upload(ADD, ("a.mp4", MP4), form=form, type="video")["media_id"]
    told = api.post(FETCH, {"media_id": media_id})
    assert (told["title"], told["description"]) == ("案例", "三居")
    assert requests.get(told["down_url"], timeout=5).content == MP4
    for bad in ({}, {"description": "x"}, {"description": '{"introduction":"x"}'}):
        assert api.upload(ADD, ("a.mp4", MP4), form=bad, type="video")["errcode"] == 40035


def test_a_file_that_the_menu_sends_cannot_be_deleted(api: Api) -> None:
    media_id = api.upload(ADD, ("a.jpg", JPEG), type="image")["media_id"]
    button = {"type": "media_id", "name": "户型图", "media_id": media_id}
    assert api.code("/cgi-bin/menu/create", {"button": [{"name": "更多", "sub_button": [button]}]}) == 0
    assert api.code(DELETE, {"media_id": media_id}) == 48005
    api.get("/cgi-bin/menu/delete")
    assert api.code(DELETE, {"media_id": media_id}) == 0


@pytest.mark.parametrize(
    ("path", "body", "errcode"),
    [
        (FETCH, {}, 41006),
        (DELETE, {"media_id": "unknown"}, 40007),
        (LIST, {"type": "thumb", "offset": 0, "count": 1}, 40004),
        (LIST, {"type": "image", "offset": 0, "count": 21}, 40007),
        (LIST, {"type": "image", "offset": 0, "count": 0}, 40007),
        (LIST, {"type": "image", "offset": -1, "count": 1}, 40007),
    ],
)
def test_a_wrong_request_for_permanent_files_is_refused(api: Api, path: str, body: Any, errcode: int) -> None:
    assert api.code(path, body) == errcode


def test_temporary_and_permanent_files_are_told_apart(api: Api) -> None:
    temporary = upload(api)["media_id"]
    permanent = api.upload(ADD, ("a.jpg", JPEG), type="image")["media_id"]
    assert api.code(FETCH, {"media_id": temporary}) == 40007
    assert api.get(GET, media_id=permanent)["errcode"] == 40007
    told = api.control("GET", f"/accounts/{APPID}/files")
    assert told["temporary"][temporary]["seconds"] == pytest.approx(3 * 86400, abs=5)
    assert told["permanent"][permanent] == {**told["permanent"][permanent], "seconds": None, "bytes": len(JPEG)}
