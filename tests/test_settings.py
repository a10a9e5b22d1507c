"""Settings: read from a mapping, refused with every reason at once."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest
from sqlalchemy import make_url

from commentsvc.config import Settings
from commentsvc.errors import SettingsError
from commentsvc.integrations import settings_file
from tests.conftest import SECRET

BARE = {"COMMENTSVC_SECRET_KEY": SECRET, "COMMENTSVC_BASE_URL": "https://comments.example"}


def faults(**variables: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(BARE | {f"COMMENTSVC_{name}": value for name, value in variables.items()})
    return caught.value.faults


def test_a_secret_and_an_address_are_enough() -> None:
    settings = Settings.from_env(BARE)
    assert settings.database_url == f"sqlite:///{Path('instance').absolute() / 'comments.sqlite'}"
    assert settings.secure


def test_every_fault_is_named_at_once() -> None:
    result = faults(BASE_URL="nonsense", MAX_COMMENT_LENGTH="many", LOG_LEVEL="LOUD", PORT="80")
    assert len(result) == 4
    assert all(
        any(f"COMMENTSVC_{name}" in fault for fault in result)
        for name in ("BASE_URL", "MAX_COMMENT_LENGTH", "LOG_LEVEL", "PORT")
    )


KUBERNETES = {
    "SERVICE_HOST": "10.96.0.17",
    "SERVICE_PORT": "8600",
    "SERVICE_PORT_HTTP": "8600",
    "PORT": "tcp://10.96.0.17:8600",
    "PORT_8600_TCP": "tcp://10.96.0.17:8600",
    "PORT_8600_TCP_PROTO": "tcp",
    "PORT_8600_TCP_PORT": "8600",
    "PORT_8600_TCP_ADDR": "10.96.0.17",
    "REDIS_SERVICE_HOST": "fd00::17",
    "REDIS_PORT": "tcp://[fd00::17]:6379",
    "REDIS_PORT_6379_TCP": "tcp://[fd00::17]:6379",
    "REDIS_NAME": "/commentsvc/redis",
}


@pytest.mark.parametrize("name", KUBERNETES)
def test_what_an_orchestrator_says_of_its_services_is_no_setting(name: str) -> None:
    assert Settings.from_env(BARE | {f"COMMENTSVC_{name}": KUBERNETES[name]}).providers == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "8600"),
        ("PORTS", "tcp://10.96.0.17:8600"),
        ("SERVICE_HOST", "comments.example"),
        ("SMPT_URL", "smtp://mail.example"),
        ("NAME", "comments"),
    ],
)
def test_what_only_looks_like_an_orchestrators_is_named(name: str, value: str) -> None:
    assert faults(**{name: value}) == (f"COMMENTSVC_{name} is not a setting of this version.",)


def test_what_is_missing_is_named_with_what_it_is_for() -> None:
    with pytest.raises(SettingsError, match="COMMENTSVC_SECRET_KEY is not set") as caught:
        Settings.from_env({})
    assert "COMMENTSVC_BASE_URL is not set" in str(caught.value)


@pytest.mark.parametrize(
    "secret",
    ["short", "a" * 64, "abcabc" * 8, "change-me-change-me-change-me-change-me", "secret" + SECRET],
)
def test_a_secret_that_can_be_guessed_is_refused(secret: str) -> None:
    (fault,) = faults(SECRET_KEY=secret)
    assert fault.startswith("COMMENTSVC_SECRET_KEY")
    assert secret not in fault


def test_a_secret_of_digits_stays_text() -> None:
    digits = "80417293651029384756019283746501"
    assert Settings.from_env(BARE | {"COMMENTSVC_SECRET_KEY": digits}).secret_key == digits


@pytest.mark.parametrize(
    "url",
    [
        "comments.example",
        "ftp://comments.example",
        "https://",
        "https://comments.example/?a=b",
        "https://comments.example/blog?a=b",
        "https://comments.example/a//b",
        "https://comments.example/../b",
        "https://comments.example/b%20c",
        "https://comments.example/b;c",
        "https://comments.example/b%22c",
        "https://comments.example/#top",
        "https://user@comments.example",
        "https://comments.example:abc",
        "https://comments.example:0",
        "https://comments.example:99999",
        "https://comments .example",
        "https://comments.example, https://other.example",
        "https://com<ments>.example",
        "https://[::1",
        "https://..",
    ],
)
def test_a_base_url_that_cannot_be_one_is_refused(url: str) -> None:
    assert len(faults(BASE_URL=url)) == 1


@pytest.mark.parametrize(
    "url", ["https://comments.example:443", "https://Comments.example/", "https://comments.example"]
)
def test_a_base_url_is_kept_as_browsers_send_it(url: str) -> None:
    assert Settings.from_env(BARE | {"COMMENTSVC_BASE_URL": url}).base_url == "https://comments.example"


@pytest.mark.parametrize("url", ["https://Blog.example/Comments", "https://blog.example:443/Comments/"])
def test_a_base_url_may_have_a_path(url: str) -> None:
    settings = Settings.from_env(BARE | {"COMMENTSVC_BASE_URL": url})
    assert settings.base_url == "https://blog.example/Comments"
    assert (settings.origin, settings.base_path) == ("https://blog.example", "/Comments")


def test_the_path_of_a_base_url_is_none_of_our_own() -> None:
    (fault,) = faults(BASE_URL="https://blog.example/embed/comments")
    assert "use another one, such as /comments" in fault


def test_a_base_url_with_letters_of_any_language_is_kept_as_browsers_send_it() -> None:
    settings = Settings.from_env(BARE | {"COMMENTSVC_BASE_URL": "https://B\u00fccher.example"})
    assert settings.base_url == "https://xn--bcher-kva.example"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_is_reached_through_its_driver(scheme: str) -> None:
    settings = Settings.from_env(BARE | {"COMMENTSVC_DATABASE_URL": f"{scheme}://user@db/comments"})
    assert settings.database_url == "postgresql+psycopg://user@db/comments"


def test_other_databases_are_refused() -> None:
    assert "mysql" in faults(DATABASE_URL="mysql://db/comments")[0]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql:foo",
        "postgresql://h:abc/db",
        "sqlite:/tmp/x",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
    ],
)
def test_a_database_that_cannot_be_is_refused_with_how_to_write_one(url: str) -> None:
    (fault,) = faults(DATABASE_URL=url)
    assert "sqlite:////path/to/" in fault


def test_a_password_is_not_repeated_where_the_database_is_refused() -> None:
    assert "hunter2" not in faults(DATABASE_URL="postgresql://me:hunter2@h:abc/db")[0]


def test_a_sqlite_file_without_a_directory_lies_in_that_of_the_data(tmp_path: Path) -> None:
    given = {"COMMENTSVC_DATA_DIR": str(tmp_path), "COMMENTSVC_DATABASE_URL": "sqlite:///my.sqlite?timeout=3"}
    assert Settings.from_env(BARE | given).database_url == f"sqlite:///{tmp_path}/my.sqlite?timeout=3"


def test_a_data_directory_may_have_any_name(tmp_path: Path) -> None:
    odd = tmp_path / "50% of? #1"
    url = Settings.from_env(BARE | {"COMMENTSVC_DATA_DIR": str(odd)}).database_url
    assert make_url(url).database == str(odd / "comments.sqlite")


def test_trusted_proxies_are_networks() -> None:
    settings = Settings.from_env(BARE | {"COMMENTSVC_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8,::1"})
    assert settings.trusted_proxies == (
        ipaddress.ip_network("127.0.0.1/32"),
        ipaddress.ip_network("10.0.0.0/8"),
        ipaddress.ip_network("::1/128"),
    )
    assert len(faults(TRUSTED_PROXIES="my-proxy")) == 1


@pytest.mark.parametrize(
    ("written", "meant"),
    [("::ffff:127.0.0.1", "127.0.0.1/32"), ("::FFFF:a00:0/104", "10.0.0.0/8"), ("::/0", "::/0")],
)
def test_a_proxy_written_as_ipv6_is_believed_as_the_ipv4_it_is(written: str, meant: str) -> None:
    settings = Settings.from_env(BARE | {"COMMENTSVC_TRUSTED_PROXIES": written})
    assert settings.trusted_proxies == (ipaddress.ip_network(meant),)


def test_an_address_with_the_length_of_a_network_is_refused_with_the_network_it_lies_in() -> None:
    assert "written 127.0.0.0/8" in faults(TRUSTED_PROXIES="127.0.0.1/8")[0]


def test_limits_and_lengths_have_bounds() -> None:
    assert len(faults(POST_LIMIT="often", PERSON_LIMIT="1", THREAD_LIMIT="x", MAX_COMMENT_LENGTH="5")) == 4


@pytest.mark.parametrize("rule", ["0/minute", "10/minute;0/hour", "00/day"])
def test_a_limit_that_would_refuse_everybody_is_refused(rule: str) -> None:
    result = faults(POST_LIMIT=rule, PERSON_LIMIT=rule, THREAD_LIMIT=rule)
    assert len(result) == 3
    assert all("nobody" in fault for fault in result)


def test_what_is_no_number_is_refused_with_those_that_are() -> None:
    assert faults(CACHE_MB="abc") == ("COMMENTSVC_CACHE_MB: 'abc' is not a number between 0 and 65536.",)


@pytest.mark.parametrize(
    "url", ["smtp://u:p#w@h:587", "smtp://h:abc", "smtp://h:0", "smtp://h/x", "mail.example"]
)
def test_a_mail_server_that_cannot_be_is_refused_with_how_to_write_a_password(url: str) -> None:
    assert "# is %23" in faults(SMTP_URL=url)[0]


def test_apple_without_a_secret_is_told_what_can_stand_in_for_it() -> None:
    assert "COMMENTSVC_APPLE_PRIVATE_KEY" in faults(APPLE_CLIENT_ID="a")[0]
    assert "APPLE" not in faults(GOOGLE_CLIENT_ID="a")[0]


@pytest.mark.parametrize(
    "url", ["localhost", "http://localhost", "redis://", "unix://", "redis://h:abc", "redis://[::1"]
)
def test_a_redis_that_cannot_be_reached_by_its_url_is_refused(url: str) -> None:
    assert len(faults(REDIS_URL=url)) == 1


def test_the_environment_stands_above_the_settings_file(tmp_path: Path) -> None:
    settings_file.append(tmp_path / "settings.env", {"COMMENTSVC_A": "file", "COMMENTSVC_B": "file"})
    environ = {"COMMENTSVC_DATA_DIR": str(tmp_path), "COMMENTSVC_A": "environment"}
    assert settings_file.merged(environ) == environ | {"COMMENTSVC_B": "file"}


def test_a_value_in_the_settings_file_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "settings.env").write_text("# mine\nCOMMENTSVC_A=a${HOME}b\nexport COMMENTSVC_B='c d'\n")
    result = settings_file.merged({"COMMENTSVC_DATA_DIR": str(tmp_path)})
    assert (result["COMMENTSVC_A"], result["COMMENTSVC_B"]) == ("a${HOME}b", "c d")


def test_what_is_added_to_the_settings_file_begins_a_line(tmp_path: Path) -> None:
    file = tmp_path / "settings.env"
    file.write_text("COMMENTSVC_BASE_URL=https://comments.example")
    settings_file.append(file, {"COMMENTSVC_SECRET_KEY": SECRET})
    assert (
        settings_file.settings({"COMMENTSVC_DATA_DIR": str(tmp_path)}).base_url == "https://comments.example"
    )
    settings_file.append(file, {"COMMENTSVC_MASTODON": "on"})
    assert "\n\n" not in file.read_text()


@pytest.mark.parametrize("line", ["COMMENTSVC_A 127.0.0.1", "COMMENTSVC_A: 30", "COMMENTSVC_A", "=b", "A='b"])
def test_a_line_of_the_settings_file_that_cannot_be_read_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "settings.env").write_text(f"# mine\nCOMMENTSVC_B=b\n\n\n{line}\nCOMMENTSVC_C=c\n")
    with pytest.raises(SettingsError) as caught:
        settings_file.merged({"COMMENTSVC_DATA_DIR": str(tmp_path)})
    assert caught.value.faults == (f"{tmp_path}/settings.env, line 5, is not NAME=value.",)


def test_a_settings_file_may_begin_with_the_mark_of_its_encoding(tmp_path: Path) -> None:
    (tmp_path / "settings.env").write_text("COMMENTSVC_A=a\n", encoding="utf-8-sig")
    assert settings_file.merged({"COMMENTSVC_DATA_DIR": str(tmp_path)})["COMMENTSVC_A"] == "a"


def test_who_finds_no_settings_is_told_where_they_were_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError) as caught:
        settings_file.settings({})
    assert (
        caught.value.faults[-1]
        == f"There is no {tmp_path}/instance/settings.env. Is COMMENTSVC_DATA_DIR set?"
    )
    (tmp_path / "settings.env").touch()
    with pytest.raises(SettingsError) as caught:
        settings_file.settings({"COMMENTSVC_DATA_DIR": str(tmp_path)})
    assert len(caught.value.faults) == 2


def test_the_settings_file_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "settings.env"
    settings_file.append(file, {"COMMENTSVC_SECRET_KEY": SECRET})
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("content", [b"COMMENTSVC_DATA_DIR=/elsewhere\n", b"COMMENTSVC_A=\xff\n"])
def test_a_settings_file_that_cannot_be_right_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "settings.env").write_bytes(content)
    with pytest.raises(SettingsError, match=r"settings\.env"):
        settings_file.merged({"COMMENTSVC_DATA_DIR": str(tmp_path)})


def test_tokens_of_mastodon_servers_are_read_and_never_shown() -> None:
    tokens = " social.example = abcdefgh , Other.example=a1b2c3d4="
    settings = Settings.from_env(BARE | {"COMMENTSVC_MASTODON_TOKENS": tokens})
    assert settings.mastodon_tokens == (("social.example", "abcdefgh"), ("other.example", "a1b2c3d4="))
    for wrong in ("https://social.example=abcdefgh", "abcdefgh", "social.example=", "a b=abcdefgh"):
        assert "abcdefgh" not in "".join(faults(MASTODON_TOKENS=wrong))
