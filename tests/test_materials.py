"""Files for replies: what is refused and in which words, what pictures lose, how temporary ones stay valid."""

import io
import struct
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from callback import APPID, Callback, answer
from django.core.exceptions import ValidationError
from django.utils import timezone, translation
from PIL import Image, ImageSequence
from PIL.PngImagePlugin import PngInfo

from wechat import conf, material_files, materials, media_ids
from wechat.errors import CallFailed
from wechat.models import Account, Material, Rule
from wechat.replies import Image as ImageReply
from wechat.replies import Music, Text, Video
from wechat.simulator.server import SimulatorServer

MB = 1024 * 1024


def picture(written: str = "PNG", size: tuple[int, int] = (40, 20), **options: Any) -> bytes:
    made = Image.new("RGB", size, "red")
    made.paste("blue", (0, 0, size[0] // 2, size[1]))
    target = io.BytesIO()
    made.save(target, written, **options)
    return target.getvalue()


def huge_png(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that says it has so many pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


def amr(seconds: float) -> bytes:
    return b"#!AMR\n" + (bytes([4 << 3]) + b"\0" * 19) * round(seconds / 0.02)


def mp3(seconds: float, tag: bytes = b"") -> bytes:
    frame = b"\xff\xfb\x90\x00".ljust(417, b"\0")  # MPEG 1 layer III, 128 kbit/s, 44.1 kHz
    return tag + frame * round(seconds * 44_100 / 1152)


MP4 = struct.pack(">I4s4sI4s", 20, b"ftyp", b"isom", 0, b"mp42") + struct.pack(">I4s", 8, b"moov")


@pytest.mark.parametrize(
    ("kind", "content", "why"),
    [
        ("image", b"", "empty"),
        ("image", b"<svg onload=alert(1)></svg>", "no picture that WeChat takes"),
        ("image", b"MZ\x90\x00" + b"\0" * 100, "no picture that WeChat takes"),
        ("image", picture("BMP"), "no picture that WeChat takes"),
        ("image", picture("WEBP"), "no picture that WeChat takes"),
        ("image", picture("TIFF"), "no picture that WeChat takes"),
        ("image", picture("PNG")[:60], "broken"),
        ("image", b"\x89PNG\r\n\x1a\n" + picture("JPEG"), "broken"),
        ("image", b"\xff\xd8\xff" + b"\0" * 50, "broken"),
        ("image", b"GIF89a" + b"\0" * 50, "broken"),
        ("image", huge_png(20_000, 20_000), "too many pixels"),
        ("image", huge_png(12_000, 9_000), "too many pixels"),
        ("image", huge_png(7_000, 6_000), "too many pixels"),
        ("image", picture("JPEG").ljust(10 * MB + 1), "too large"),
        ("thumb", picture("PNG"), "JPG picture of at most 64 KB"),
        ("thumb", picture("JPEG").ljust(64 * 1024 + 1), "too large"),
        ("voice", picture("PNG"), "no recording"),
        ("voice", b"#!AMR\n", "no recording"),
        ("voice", b"#!AMR\n\xff\xff" + picture("PNG"), "no recording"),
        ("voice", b"ID3\x03\x00\x00\x00\x00\x00\x00", "no recording"),
        ("voice", b"\xff\xfb\x90\x00 not another frame".ljust(2000), "no recording"),
        ("voice", amr(61), "too long"),
        ("voice", mp3(61), "too long"),
        ("voice", amr(1).ljust(2 * MB + 1), "too large"),
        ("video", mp3(1), "no video"),
        ("video", MP4[:-8], "no video"),
        ("video", b"\0\0\0\x08ftyp" + b"\xff" * 40, "no video"),
        ("video", MP4.ljust(10 * MB + 1), "too large"),
    ],
)
def test_what_wechat_would_not_take_is_refused_in_words(kind: str, content: bytes, why: str) -> None:
    with translation.override("en"), pytest.raises(ValidationError, match=why):
        material_files.check(kind, content)


@pytest.mark.parametrize(
    ("kind", "content", "suffix", "measures"),
    [
        ("image", picture("PNG"), ".png", "40 × 20"),
        ("image", picture("JPEG"), ".jpg", "40 × 20"),
        ("image", picture("GIF"), ".gif", "40 × 20"),
        ("thumb", picture("JPEG"), ".jpg", "40 × 20"),
        ("voice", amr(3), ".amr", "3 s"),
        ("voice", mp3(59.9), ".mp3", "60 s"),
        ("voice", mp3(3, tag=b"ID3\x03\x00\x00\x00\x00\x00\x05hello"), ".mp3", "3 s"),
        ("video", MP4, ".mp4", ""),
    ],
)
def test_what_wechat_takes_is_taken(kind: str, content: bytes, suffix: str, measures: str) -> None:
    checked = material_files.check(kind, content)
    assert (checked.suffix, checked.measures) == (suffix, measures)
    assert bool(checked.preview) == (kind in ("image", "thumb"))


def test_a_permanent_bmp_is_taken_and_becomes_png() -> None:
    checked = material_files.check("image", picture("BMP"), permanent=True)
    assert checked.content.startswith(b"\x89PNG")


def test_a_picture_loses_what_it_says_of_place_and_camera_and_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90°
    exif[0x010F] = "SECRET CAMERA"
    content = picture("JPEG", exif=exif, icc_profile=b"SECRET PROFILE", comment=b"SECRET COMMENT")
    assert content.count(b"SECRET") == 3
    checked = material_files.check("image", content + b"SECRET TAIL <?php")
    assert b"SECRET" not in checked.content
    with Image.open(io.BytesIO(checked.content)) as upright:
        assert upright.size == (20, 40)
        assert not upright.getexif()


def test_a_transparent_png_stays_transparent_and_loses_its_texts() -> None:
    info = PngInfo()
    info.add_text("Comment", "SECRET")
    target = io.BytesIO()
    Image.new("RGBA", (10, 10), (255, 0, 0, 0)).save(target, "PNG", pnginfo=info)
    checked = material_files.check("image", target.getvalue())
    assert b"SECRET" not in checked.content
    with Image.open(io.BytesIO(checked.content)) as redrawn:
        assert redrawn.convert("RGBA").getpixel((5, 5)) == (255, 0, 0, 0)


def test_an_animation_stays_one_and_an_endless_one_is_refused() -> None:
    def animation(count: int) -> bytes:
        frames = [Image.new("P", (8, 8), number % 200) for number in range(count)]
        target = io.BytesIO()
        frames[0].putpalette([value % 256 for value in range(768)])
        for frame in frames[1:]:
            frame.putpalette([value % 256 for value in range(768)])
        frames[0].save(target, "GIF", save_all=True, append_images=frames[1:], duration=50, comment=b"SECRET")
        return target.getvalue()

    checked = material_files.check("image", animation(5))
    assert b"SECRET" not in checked.content
    with Image.open(io.BytesIO(checked.content)) as moving:
        assert len(list(ImageSequence.Iterator(moving))) == 5
    with pytest.raises(ValidationError):
        material_files.check("image", animation(material_files.FRAMES + 1))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../x", "x"),
        ("..\\..\\evil.png", "evil.png"),
        ("/etc/passwd", "passwd"),
        ("..", "file"),
        ("", "file"),
        ("a\x00\u202eb\n.png", "ab.png"),
        ("户型图.jpg", "户型图.jpg"),
        ("x" * 300, "x" * 100),
    ],
)
def test_a_files_name_is_a_label_and_no_path(name: str, shown: str) -> None:
    assert materials.label(name) == shown


def stored(account: Account, content: bytes | None = None, kind: str = "image", **values: Any) -> Material:
    material = Material(account=account, kind=kind, name="../../x", **values)
    materials.keep(material, material_files.check(kind, content or picture()))
    return material


def test_a_file_is_stored_under_a_random_name(account: Account, settings: Any) -> None:
    material = stored(account)
    root = Path(settings.MEDIA_ROOT)
    path = Path(material.file.path)
    assert path.parent == root / "materials"
    assert len(path.stem) == 32
    assert path.exists()
    preview = Path(material.preview.path)
    material.delete()
    assert not path.exists()
    assert not preview.exists()


@pytest.mark.django_db(transaction=True)
def test_a_temporary_file_lives_three_days_and_a_permanent_one_for_good(
    account: Account, simulator: SimulatorServer
) -> None:
    registration = simulator.platform.accounts[APPID]
    material, lasting = stored(account), stored(account, permanent=True)
    video = stored(account, MP4, "video", permanent=True, title="案例", introduction="三居")
    thumb = stored(account, picture("JPEG"), "thumb")
    for each in (material, lasting, video, thumb):
        materials.upload(each)
        each.refresh_from_db()
    assert material.expires_at
    assert material.expires_at - timezone.now() == pytest.approx(timedelta(days=3), abs=timedelta(seconds=5))
    assert registration.media[material.media_id].content == Path(material.file.path).read_bytes()
    assert registration.media[thumb.media_id].kind == "thumb"
    assert (lasting.expires_at, lasting.url.startswith("http")) == (None, True)
    assert registration.materials[video.media_id].title == "案例"
    materials.remove(lasting)
    assert lasting.media_id not in registration.materials
    assert not Material.objects.filter(name="../../x", permanent=True, kind="image").exists()


@pytest.mark.django_db(transaction=True)
def test_what_is_used_or_kept_is_renewed_before_it_ends_and_answers_go_on(
    account: Account, push: Callback, simulator: SimulatorServer
) -> None:
    used, kept, forgotten = stored(account), stored(account, keep=True), stored(account)
    for each in (used, kept, forgotten):
        materials.upload(each)
    Rule.objects.create(
        account=account,
        name="图",
        keywords=[{"kind": "exact", "text": "户型"}],
        answers=[{"kind": "image", "media": used.reference}],
    )
    first = {each.pk: each.media_id for each in (used, kept, forgotten)}
    assert answer(push.text("户型"))["Image"] == {"MediaId": first[used.pk]}  # type: ignore[index]
    assert materials.renew_due() == 0
    assert Material.objects.get(pk=used.pk).media_id == first[used.pk]
    simulator.platform.clock.advance(61 * 3600)
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=61)):
        conf.forget()
        materials.renew_due()
        now = {each.pk: each for each in Material.objects.all()}
        assert now[used.pk].media_id != first[used.pk]
        assert now[kept.pk].media_id != first[kept.pk]
        assert now[forgotten.pk].media_id == first[forgotten.pk]
        assert now[used.pk].expires_at > timezone.now() + timedelta(hours=60)  # type: ignore[operator]
        assert answer(push.text("户型"))["Image"] == {"MediaId": now[used.pk].media_id}  # type: ignore[index]


@pytest.mark.django_db(transaction=True)
def test_a_renewal_that_fails_is_tried_again_later_and_says_why(account: Account, simulator: SimulatorServer) -> None:
    material = stored(account, keep=True)
    materials.upload(material)
    Material.objects.update(expires_at=timezone.now() + timedelta(hours=1))
    simulator.platform.faults.set(kind="errcode", match="/cgi-bin/media/upload", remaining=1, errcode=45009)
    materials.renew_due()
    material.refresh_from_db()
    assert " 45009 " in material.error
    materials.renew_due()  # not at once
    material.refresh_from_db()
    assert material.error
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=11)):
        materials.renew_due()
    material.refresh_from_db()
    assert (material.error, material.failed_at) == ("", None)


@pytest.mark.django_db(transaction=True)
def test_a_lost_file_stops_nobody_else(account: Account, simulator: SimulatorServer) -> None:
    lost, good = stored(account, keep=True), stored(account, keep=True)
    soon = timezone.now() + timedelta(hours=1)
    Material.objects.update(expires_at=soon, media_id="old")
    Path(lost.file.path).unlink()
    materials.renew_due()
    good.refresh_from_db()
    lost.refresh_from_db()
    assert good.media_id != "old"
    assert lost.error


def test_an_expired_or_foreign_file_is_no_answer(account: Account, push: Callback) -> None:
    other = Account.objects.create(slug="other")
    foreign = stored(other, permanent=True)
    ended = stored(account)
    Material.objects.filter(pk=foreign.pk).update(media_id="m1")
    Material.objects.filter(pk=ended.pk).update(media_id="m2", expires_at=timezone.now() - timedelta(seconds=1))
    for number, name in enumerate((foreign.reference, ended.reference, "material:999", "material:x", "material:")):
        assert media_ids.resolved(ImageReply(name), account.pk) is None
        assert media_ids.resolved(Music(thumb=name), account.pk) is None
        Rule.objects.create(
            account=account,
            name=str(number),
            keywords=[{"kind": "exact", "text": str(number)}],
            answers=[{"kind": "image", "media": name}, {"kind": "text", "content": "later"}],
        )
        told = answer(push.text(str(number)))
        assert told
        assert told["Content"] == "later"  # the next answer takes its place
    assert media_ids.resolved(ImageReply("m9"), account.pk) == ImageReply("m9")
    assert media_ids.resolved(Text("material:1"), account.pk) == Text("material:1")
    assert media_ids.resolved(Video("m9", thumb="material:999"), account.pk) == Video("m9", thumb="")


def test_a_media_id_costs_a_query_only_where_a_file_is_named(account: Account, django_assert_num_queries: Any) -> None:
    material = stored(account, permanent=True)
    Material.objects.update(media_id="m1")
    with django_assert_num_queries(0):
        media_ids.resolved(ImageReply("m9"), account.pk)
    with django_assert_num_queries(1):
        assert media_ids.resolved(ImageReply(material.reference), account.pk) == ImageReply("m1")


@pytest.mark.django_db(transaction=True)
def test_a_permanent_file_that_a_menu_sends_stays_here_too(account: Account, simulator: SimulatorServer) -> None:
    material = stored(account, permanent=True)
    materials.upload(material)
    simulator.platform.faults.set(kind="errcode", match="/cgi-bin/material/del_material", remaining=1, errcode=48005)
    with pytest.raises(CallFailed, match="48005"):
        materials.remove(material)
    assert Material.objects.count() == 1
    del simulator.platform.accounts[APPID].materials[material.media_id]
    materials.remove(material)  # somebody deleted it there: no failure
    assert Material.objects.count() == 0


def test_a_row_without_our_file_is_never_renewed(account: Account) -> None:
    Material.objects.create(account=account, kind="image", name="x", keep=True, expires_at=timezone.now())
    assert materials.renew_due() == 0
