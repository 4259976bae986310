"""The pages of the files: uploading, every refusal, looking, deleting, and what exists at WeChat only."""

from pathlib import Path
from typing import Any

import pytest
import requests
from callback import APPID
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from test_materials import MP4, amr, huge_png, picture

from wechat.models import Account, Material, Membership, Rule
from wechat.simulator.server import SimulatorServer

pytestmark = pytest.mark.django_db(transaction=True)
ADD, LIST = "/admin/wechat/material/add/", "/admin/wechat/material/"
LIBRARY = "/admin/wechat/material/at-wechat/"
YES = {"_form_submitted": "True"}


def send(client: Client, account: Account, content: bytes, *, name: str = "a.png", **values: Any) -> Any:
    file = SimpleUploadedFile("x", content)
    file._name = name  # type: ignore[attr-defined]  # as it travels; Django would clean it here
    data = {"account": account.pk, "kind": "image", "name": "", "title": "", "introduction": "", "upload": file}
    return client.post(ADD, {**data, **values}, follow=True)


def files(settings: Any) -> set[Path]:
    folder = Path(settings.MEDIA_ROOT) / "materials"
    return set(folder.iterdir()) if folder.exists() else set()


def member(account: Account, *rights: str) -> Client:
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    Membership.objects.create(user=user, account=account)
    client = Client()
    client.force_login(user)
    return client


def page(name: str, material: Material) -> str:
    return reverse(f"admin:wechat_material_{name}", args=[material.pk])


def test_a_picture_is_uploaded_checked_and_shown(account: Account, staff: Client, simulator: SimulatorServer) -> None:
    response = send(staff, account, picture(), name="../../户型图.png")
    assert response.status_code == 200
    material = Material.objects.get()
    assert (material.name, material.measures, material.error) == ("户型图.png", "40 × 20", "")
    assert material.media_id in simulator.platform.accounts[APPID].media
    assert "户型图.png" in staff.get(LIST).content.decode()
    shown = staff.get(page("file", material))
    assert b"".join(shown.streaming_content)[:4] == b"\x89PNG"  # type: ignore[attr-defined]
    assert shown["Content-Type"] == "image/png"
    assert shown["X-Content-Type-Options"] == "nosniff"
    assert shown["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "public" not in shown["Cache-Control"]
    assert staff.get(page("preview", material))["Content-Type"] == "image/jpeg"
    assert staff.get(page("change", material)).status_code == 200


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("image", b"<svg onload=alert(1)></svg>"),
        ("image", b"MZ\x90"),
        ("image", huge_png(20_000, 20_000)),
        ("image", picture("JPEG").ljust(11_000_000)),
        ("voice", picture()),
        ("voice", amr(61)),
        ("video", b"not a video"),
        ("thumb", picture("PNG")),
    ],
)
def test_a_refused_file_leaves_nothing(
    kind: str, content: bytes, account: Account, staff: Client, simulator: SimulatorServer, settings: Any
) -> None:
    before = files(settings)
    response = send(staff, account, content, kind=kind, name="mein.png")
    assert response.context["errors"]
    assert "upload" in response.context["adminform"].form.errors
    assert Material.objects.count() == 0
    assert files(settings) == before
    assert not simulator.platform.journal.find(kind="call")


def test_100_mb_are_refused_before_they_are_read(account: Account, staff: Client) -> None:
    class Unread:
        def read(self, *_args: Any) -> bytes:
            raise AssertionError("the body was read")

        readline = read

    response = staff.generic(
        "POST",
        ADD,
        b"",
        CONTENT_TYPE="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(100 * 1024 * 1024),
        **{"wsgi.input": Unread()},  # type: ignore[arg-type]
    )
    assert response.status_code == 413
    assert "16.0" in response.content.decode()


def test_what_wechat_refuses_is_kept_with_the_reason_and_sent_again(
    account: Account, staff: Client, simulator: SimulatorServer
) -> None:
    simulator.platform.faults.set(kind="errcode", match="/cgi-bin/media/upload", remaining=1, errcode=45009)
    response = send(staff, account, picture())
    assert "45009" in staff.get(page("change", Material.objects.get())).content.decode()
    assert "ERROR" in [message.level_tag.upper() for message in response.context["messages"]]
    material = Material.objects.get()
    assert material.media_id == ""
    staff.post(page("upload_again", material), YES)
    material.refresh_from_db()
    assert (material.error, bool(material.media_id)) == ("", True)


def test_the_page_asks_first_and_deletes_there_too(account: Account, staff: Client, simulator: SimulatorServer) -> None:
    send(staff, account, picture(), permanent="on")
    material = Material.objects.get()
    rule = Rule.objects.create(
        account=account, name="图片规则", keywords=[], answers=[{"kind": "image", "media": material.reference}]
    )
    assert "图片规则" in staff.get(page("change", material)).content.decode()
    staff.get(page("remove_material", material))
    staff.post(page("remove_material", material), YES)
    assert Material.objects.count() == 1  # a rule uses it
    rule.delete()
    staff.post(page("remove_material", material), YES)
    assert Material.objects.count() == 0
    assert material.media_id not in simulator.platform.accounts[APPID].materials


def test_files_are_for_who_may_see_them(account: Account, client: Client, simulator: SimulatorServer) -> None:
    send(member(account, "add_material", "view_material"), account, picture())
    material = Material.objects.get()
    other = Account.objects.create(slug="other")
    User.objects.all().delete()
    stranger = member(other, "view_material")
    for name in ("file", "preview", "change"):
        assert client.get(page(name, material)).status_code == 302  # to the sign-in
        assert stranger.get(page(name, material)).status_code in (302, 403, 404)
    assert client.get(f"/media/{material.file.name}").status_code == 404


def test_only_name_and_keep_of_a_stored_one_change(account: Account, staff: Client, simulator: SimulatorServer) -> None:
    send(staff, account, picture())
    material = Material.objects.get()
    staff.post(page("change", material), {"name": "新名", "keep": "on", "kind": "video", "media_id": "x"})
    material.refresh_from_db()
    assert (material.name, material.keep, material.kind) == ("新名", True, "image")
    assert material.media_id != "x"


def test_what_exists_at_wechat_only_is_listed_taken_and_deleted(
    account: Account, staff: Client, simulator: SimulatorServer
) -> None:
    send(staff, account, picture(), permanent="on", name="ours.png")
    registration = simulator.platform.accounts[APPID]
    token = registration.tokens.stable(simulator.platform.clock.now()).value
    simulator.platform.token_owners[token] = registration
    for number in range(21):
        answer = requests.post(
            f"{simulator.url}/cgi-bin/material/add_material",
            params={"access_token": token, "type": "image"},
            files={"media": (f"theirs{number}<b>.png", picture())},
            timeout=5,
        ).json()
    shown = staff.get(LIBRARY).content.decode()
    assert "theirs20&lt;b&gt;.png" in shown
    assert "ours.png" not in shown  # it travels under a name of ASCII, and is on the second page
    assert (
        reverse("admin:wechat_material_change", args=[Material.objects.get().pk])
        in staff.get(LIBRARY, {"offset": "20"}).content.decode()
    )
    act = {"act": "take", "media_id": answer["media_id"], "name": "../../theirs.png", "url": answer["url"]}
    staff.post(LIBRARY, act)
    staff.post(LIBRARY, act)
    taken = Material.objects.get(media_id=answer["media_id"])
    assert (taken.name, taken.permanent, bool(taken.file)) == ("theirs.png", True, False)
    assert staff.get(page("change", taken)).status_code == 200
    staff.post(LIBRARY, {"act": "delete", "media_id": answer["media_id"]})
    assert answer["media_id"] not in registration.materials
    assert Material.objects.count() == 1


@pytest.mark.parametrize(
    "query", [{"offset": "x"}, {"offset": "-1"}, {"offset": "9" * 30}, {"kind": "news"}, {"account": "x"}]
)
def test_odd_addresses_of_the_library_do_no_harm(
    query: dict[str, str], account: Account, staff: Client, simulator: SimulatorServer
) -> None:
    assert staff.get(LIBRARY, query).status_code == 200


def test_an_account_without_the_permission_reads_why(
    account: Account, staff: Client, simulator: SimulatorServer
) -> None:
    simulator.platform.accounts[APPID].kind = "service"
    shown = staff.get(LIBRARY).content.decode()
    assert "48001" in shown
    assert "rid" in shown


def test_who_may_only_look_changes_nothing_at_wechat(account: Account, simulator: SimulatorServer) -> None:
    clerk = member(account, "view_material")
    assert clerk.post(LIBRARY, {"act": "delete", "media_id": "x"}).status_code == 403
    assert clerk.post(LIBRARY, {"act": "take", "media_id": "x"}).status_code == 403
    assert Material.objects.count() == 0
    assert clerk.get(LIST).status_code == 200


def test_the_rule_form_offers_the_files_of_ones_accounts(account: Account, simulator: SimulatorServer) -> None:
    other = Account.objects.create(slug="other")
    mine = Material.objects.create(account=account, kind="video", name="样板间", media_id="m1")
    Material.objects.create(account=other, kind="image", name="THEIRS", media_id="m2")
    Material.objects.create(account=account, kind="image", name="NOT THERE YET")
    shown = member(account, "view_rule", "add_rule", "change_rule").get("/admin/wechat/rule/add/")
    offered = shown.context["editor"]["materials"]
    assert [(one["value"], one["label"], one["kind"]) for one in offered] == [(mine.reference, "样板间", "video")]


def test_a_video_is_uploaded_for_good_with_its_title(
    account: Account, staff: Client, simulator: SimulatorServer
) -> None:
    send(staff, account, MP4, kind="video", permanent="on", title="案例", name="v.mp4")
    material = Material.objects.get()
    assert simulator.platform.accounts[APPID].materials[material.media_id].title == "案例"
    assert staff.get(page("file", material))["Content-Disposition"].startswith("attachment")
