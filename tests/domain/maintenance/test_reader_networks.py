"""Whether readers come from networks of their own, or all from those of a CDN."""

from __future__ import annotations

import pytest

from commentsvc.cli.checks import websites
from commentsvc.domain.fields import Guest
from commentsvc.domain.maintenance import reader_networks
from commentsvc.domain.maintenance.reader_networks import ReaderNetworks
from tests.support.admin_queue import AdminQueue, open_queue

queue_of_site = open_queue
ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


def crowd(it: AdminQueue, people: int, networks: int) -> None:
    for number in range(people):
        guest = Guest(f"Reader {number}", f"r{number}@mail.example")
        it.write("Hello", guest=guest, network=f"{number % networks}" * 64)


@ENGINES
def test_people_and_networks_are_counted_once(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    crowd(it, 6, 3)
    it.write("Again", guest=Guest("Reader 0", "R0@mail.example"), network="0" * 64)
    it.write("By a member", by=it.person("Ben").id)
    it.write("Without a network")
    it.session.rollback()
    assert reader_networks.lately(it.session) == ReaderNetworks(people=6, networks=3)


def test_doctor_notices_when_all_come_through_a_cdn(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    crowd(it, 20, 4)
    it.session.rollback()
    finding = websites.readers(it.session)
    assert finding.state == "20 people from 4 networks wrote the latest comments"
    assert "Behind a CDN" in finding.advice


@pytest.mark.parametrize(
    ("people", "networks"), [(0, 0), (19, 1), (20, 5), (200, 150)], ids=["none", "few", "some", "most"]
)
def test_a_usual_crowd_is_no_cause_for_advice(people: int, networks: int) -> None:
    assert not ReaderNetworks(people, networks).are_few
