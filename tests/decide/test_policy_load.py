"""Loading is all or nothing, and every complaint has its place."""

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from gateway import load
from gateway.core.decide.facts import from_dict
from gateway.core.decide.policy import decide
from gateway.core.model import Address, Automatic, Envelope, Listener, Mail
from gateway.errors import BadInput

ROOT = Path(__file__).resolve().parents[2]
RULES = """
[[rule]]
id = "all"
then = "record"
why = "Everything is kept."

[[test]]
name = "everything is kept"
given = { sender = "primary" }
expect = { outcome = "record" }
"""
ROUTING = """
[[department]]
id = "general"
name = { en = "Care" }

[office]
hours.monday = ["9:00-17:30"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small sound folder of policies, with templates and articles beside it."""
    policies = tmp_path / "policies"
    policies.mkdir()
    (policies / "disclosure.toml").write_text(RULES)
    (policies / "routing.toml").write_text(ROUTING)
    (policies / "requests.toml").write_text('[billing]\nphrases.en = ["invoice*"]\n')
    for kind in ("open", "refuse", "out_of_hours"):
        shutil.copytree(ROOT / "templates" / kind, tmp_path / "templates" / kind)
    (tmp_path / "knowledge").mkdir()
    return tmp_path


def loaded(folder: Path) -> load.Loaded:
    return load.load(folder / "policies", folder / "templates", folder / "knowledge")


def complaint(folder: Path) -> str:
    with pytest.raises(BadInput) as raised:
        loaded(folder)
    return str(raised.value)


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_a_sound_folder_loads(folder: Path) -> None:
    """Everything is there, as values."""
    house = loaded(folder)
    assert [rule.id for rule in house.policy.rules] == ["all"]
    assert house.routing.default_department == "general"
    assert house.templates.has("open")
    assert house.next is None
    assert house.proved.sound


def test_the_digest_changes_with_any_file(folder: Path) -> None:
    """Policies, templates and articles are all in it."""
    before = loaded(folder).digest
    write(folder, "knowledge/x.en.md", "---\ntitle: X\n---\nWords.\n")
    after = loaded(folder).digest
    write(folder, "policies/requests.toml", '[billing]\nphrases.en = ["receipt*"]\n')
    assert len({before, after, loaded(folder).digest}) == 3


def test_all_mistakes_of_all_files_are_shown_at_once(folder: Path) -> None:
    """Nobody has to run it again to learn of the next mistake."""
    write(folder, "policies/disclosure.toml", RULES.replace("record", "recrd"))
    write(folder, "policies/routing.toml", ROUTING.replace("monday", "mondy"))
    write(folder, "knowledge/x.en.md", "Words.\n")
    said = complaint(folder)
    for part in ("unknown outcome `recrd`", "unknown key `mondy`", "never open", "front matter"):
        assert part in said


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("[office]", '[office]\ntimezone = "Europe/Rom"', "unknown time zone `Europe/Rom`"),
        ("[office]", '[office]\ncountry = "XX"', "unknown country `XX`"),
        (
            "[office]",
            '[office]\ncountry = "IT"\nsubdivision = "XX"',
            "`IT` has no subdivision `XX`",
        ),
        ("9:00-17:30", "17:30-9:00", "`17:30-9:00` ends before it begins"),
        ("9:00-17:30", "nine to five", "`nine to five` are no hours"),
        ('["9:00-17:30"]', '["9:00-13:00", "12:00-18:00"]', "begins before the stretch before"),
        ('"general"', '"General desk"', "`General desk` is no id"),
        ("[office]", "[office]\nclosed = [12]", "`closed` holds dates"),
        ("[office]", "[caps]\nstrong = -1\n[office]", "`strong` is -1, not between"),
        ("[office]", "[caps]\nstrnog = 1\n[office]", "did you mean `strong`?"),
        ("[office]", '[[staff]]\nname = "M"\naddress = "m"\n[office]', "`m` is no address"),
        (
            "[office]",
            '[[staff]]\nname = "M"\naddress = "m@h.example"\ndepartments = ["generl"]\n[office]',
            "unknown department `generl`",
        ),
        ('id = "general"', 'id = "general"\nrecipients = ["billing"]', "`billing` is no address"),
        ('id = "general"', 'id = "general"\nrequests = ["bill"]', "unknown request `bill`"),
        ('id = "general"', 'id = "general"\nkind = "bill"', "unknown kind `bill`"),
        ('id = "general"', 'id = "general"\nmailbox = "x"', "`x` is no address"),
        ("[[department]]", "[[departmnt]]", "unknown key `departmnt`"),
        ("[office]", "[window]\nreopen_days = 0\n[office]", "`reopen_days` is 0"),
        ("[office]", '[first_reply]\nmail_minutes = "10"\n[office]', "must be a number"),
    ],
)
def test_mistakes_in_routing_are_named(folder: Path, was: str, becomes: str, said: str) -> None:
    """Each with its place and what to do."""
    write(folder, "policies/routing.toml", ROUTING.replace(was, becomes))
    text = complaint(folder)
    assert said in text
    assert "routing.toml:" in text


def test_office_hours_are_read_as_times(folder: Path) -> None:
    """Stretches in order, midnight at the end of a day, days off and worked holidays."""
    hours = '["9:00-13:00", "14:00-24:00"]'
    more = "[office]\nclosed = [2026-12-24]\nworked = [2026-01-06]\n"
    text = ROUTING.replace('["9:00-17:30"]', hours).replace("[office]\n", more)
    write(folder, "policies/routing.toml", text)
    office = loaded(folder).routing.office
    assert office.days == {0: ((time(9), time(13)), (time(14), time.max))}
    assert office.closed == {date(2026, 12, 24)}
    assert office.worked == {date(2026, 1, 6)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[biling]\n", "unknown request `biling`"),
        ('[billing]\nphrases.english = ["x"]\n', "`english` is no language"),
        ('[billing]\nphrases.en = ["in*voice"]\n', "`*` stands at the end of a word alone"),
        ("[billing]\nphrases.en = [3]\n", "holds strings"),
        ('[billing]\nphrasse.en = ["x"]\n', "unknown key `phrasse`"),
        ('order = ["bills"]\n', "unknown request `bills`"),
    ],
)
def test_mistakes_in_requests_are_named(folder: Path, text: str, said: str) -> None:
    """Each with its place and what to do."""
    write(folder, "policies/requests.toml", text)
    assert said in complaint(folder)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('department = "genral"', "unknown department `genral`"),
        ('template = "opne"', "there is no template `opne`"),
        ('priority = "hgh"', "unknown priority `hgh`"),
        ('id = "default"', "Cannot overwrite a value"),
    ],
)
def test_what_rules_name_must_be_there(folder: Path, line: str, said: str) -> None:
    """Departments, templates and priorities are checked against the other tables."""
    text = RULES.replace('then = "record"', f'then = "record"\n{line}')
    write(folder, "policies/disclosure.toml", text)
    assert said.casefold() in complaint(folder).casefold()


def test_a_notice_names_a_paragraph_that_is_there(folder: Path) -> None:
    """A paragraph that no template has is refused, with the nearest one."""
    notice = '\n[[notice]]\nid = "n"\nwhen.office = "closed"\nadd = "out_of_hour"\n'
    write(folder, "policies/disclosure.toml", RULES + notice)
    said = complaint(folder)
    assert "there is no paragraph `out_of_hour`" in said
    assert "did you mean `out_of_hours`?" in said


def test_reserved_ids_are_refused(folder: Path) -> None:
    """`default` and `guard` would be mistaken for our own words."""
    write(folder, "policies/disclosure.toml", RULES.replace('"all"', '"guard"'))
    assert "has a meaning of its own" in complaint(folder)


def test_the_shadow_policy_must_be_sound_too(folder: Path) -> None:
    """`next/` is decided for real mails, so it is proved like the one in force."""
    write(folder, "policies/next/disclosure.toml", RULES)
    assert loaded(folder).next is not None
    write(folder, "policies/next/disclosure.toml", RULES.replace('"record"', '"open"'))
    assert "never-rule" in complaint(folder)


def test_missing_and_unreadable_files_are_named(folder: Path) -> None:
    """Absent files, and files that are not UTF-8."""
    (folder / "policies" / "routing.toml").unlink()
    assert "routing.toml: no such file" in complaint(folder)
    (folder / "policies" / "routing.toml").write_bytes(b"\xff")
    assert "not UTF-8 at byte 0" in complaint(folder)
    shutil.rmtree(folder / "policies")
    assert "cannot be read" in complaint(folder)


def test_articles_are_read_with_their_front_matter(folder: Path) -> None:
    """Title, lists in either form, and the date."""
    write(
        folder,
        "knowledge/dns-records.it.md",
        '---\ntitle: "Record DNS: come"\ntags: [dns, zona]\nsynonyms: nameserver, ns\n'
        "updated: 2026-01-31\n---\n\n# Come\n\nDal pannello.\n",
    )
    write(folder, "knowledge/README.md", "not an article")
    (article,) = loaded(folder).articles
    assert (article.slug, article.language) == ("dns-records", "it")
    assert article.title == "Record DNS: come"
    assert article.tags == ("dns", "zona")
    assert article.synonyms == ("nameserver", "ns")
    assert article.updated == date(2026, 1, 31)
    assert article.body == "# Come\n\nDal pannello."


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("x.en.md", "---\ntags: a\n---\nWords.", "no `title`"),
        ("x.en.md", "---\ntitle: X\n---\n\n", "no words"),
        ("x.en.md", "---\ntitle: X\nupdatd: 1\n---\nW", "is no `key: value`"),
        ("x.en.md", "---\ntitle: X\nupdated: today\n---\nW", "`today` is no date"),
        ("X.md", "---\ntitle: X\n---\nW", "`<slug>.<language>.md`"),
    ],
)
def test_mistakes_in_articles_are_named(folder: Path, name: str, text: str, said: str) -> None:
    """The file and what is wrong with it."""
    write(folder, f"knowledge/{name}", text)
    text = complaint(folder)
    assert said in text
    assert name in text


def test_a_template_that_discloses_more_than_its_kind_is_refused(folder: Path) -> None:
    """The file and line are named; nothing is loaded."""
    write(folder, "templates/refuse/en.txt", "Subject: No\n\nDear {{ account }},\n")
    said = complaint(folder)
    assert "refuse" in said
    assert "`account`" in said


def test_what_discloses_more_is_said_in_words(folder: Path) -> None:
    """A reload can show one situation that would tell more than before."""
    old = loaded(folder)
    answer = RULES.replace(
        "[[rule]]",
        '[[rule]]\nid = "answer"\nwhen.sender = "unknown"\nwhen.proof = "strong"\n'
        'when.automatic = "no"\nwhen.knowledge = "sure"\nthen = "answer"\nwhy = "Public."\n\n'
        '[[test]]\nname = "sure"\n'
        'given = { sender = "unknown", proof = "strong", automatic = "no", knowledge = "sure" }\n'
        'expect = { outcome = "answer" }\n\n[[test]]\nname = "weak"\n'
        'given = { sender = "unknown", proof = "strong", automatic = "no", knowledge = "weak" }\n'
        'expect = { outcome = "record" }\n\n[[rule]]',
        1,
    )
    write(folder, "policies/disclosure.toml", answer)
    said = load.discloses_more(old, loaded(folder))
    assert "`record` by `all` becomes `answer` by `answer`" in said
    assert load.discloses_more(loaded(folder), old) == ""


# ---- signals

PARTNER = '[[signal]]\nid = "partner"\ndomain_in = ["{}"]\n'
SHADOWED = (
    """
[[rule]]
id = "partners"
when.partner = true
then = "record"
why = "Partners are told apart."

[[test]]
name = "a partner"
given = { partner = true }
expect = { rule = "partners" }

[[test]]
name = "nobody else"
given = { partner = false }
expect = { rule = "all" }
"""
    + RULES
)

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ENVELOPE = Envelope(None, None, "a@b.example", ("billing@host.example",), Listener.EDGE, NOW)
MAIL = Mail(
    subject="URGENTE: sito fermo",
    from_name="",
    text="il sito non risponde",
    spans=(),
    html=False,
    language="it",
    automatic=Automatic.NO,
    automatic_because="",
    message_id=None,
    in_reply_to=(),
    references=(),
    date=None,
    to=(),
    cc=(),
    attachments=(),
    report=None,
    content_digest="",
    body_digest="",
    defects=(),
)


@pytest.mark.parametrize(
    ("definition", "holds"),
    [
        ('domain_in = ["shop.example"]', True),
        ('domain_in = ["example"]', False),
        ('domain_in = [".example"]', True),
        ('recipient_in = ["Billing@host.example"]', True),
        ("larger_than = 100", True),
        ("larger_than = 101", False),
        ("attachments_over = 0", False),
        ('subject_matches = "urgent[e]?"', True),
        ('subject_matches = "^sito"', False),
        ('text_matches = "non risponde"', True),
        ('language_in = ["it"]', True),
        ('language_in = ["it"]\nlarger_than = 101', False),
    ],
)
def test_early_signals_are_computed(folder: Path, definition: str, holds: bool) -> None:
    """All tests of a signal must hold; RE2 reads the subject without regard to case."""
    signal = f'[[signal]]\nid = "it"\n{definition}\n'
    write(folder, "policies/disclosure.toml", signal + RULES)
    found = loaded(folder).early_signals(Address("a", "shop.example"), ENVELOPE, MAIL, 101)
    assert found == (("it", holds),)


def test_signals_that_need_an_account_wait_for_it(folder: Path) -> None:
    """While no account has been read they are not there, and count as false."""
    late = "".join(
        f'[[signal]]\nid = "{name}"\n{key} = ["x"]\n'
        for name, key in (("a", "account_in"), ("b", "service_kind_in"), ("c", "department_in"))
    )
    write(folder, "policies/disclosure.toml", late + RULES)
    house = loaded(folder)
    assert house.early_signals(Address("a", "b.example"), ENVELOPE, MAIL, 1) == ()
    assert [signal.early for signal in house.policy.table.signals] == [False] * 3


def test_the_early_signals_of_the_shadow_are_computed_too(folder: Path) -> None:
    """At the door the shadow sees its own signals, not a silent false."""
    write(folder, "policies/next/disclosure.toml", PARTNER.format("b.example") + SHADOWED)
    house = loaded(folder)
    found = house.early_signals(Address("a", "b.example"), ENVELOPE, MAIL, 1)
    assert found == (("partner", True),)


@pytest.mark.parametrize(("domain", "differs"), [("b.example", True), ("a.example", False)])
def test_a_signal_that_the_shadow_redefines_is_its_own_there(
    folder: Path, domain: str, differs: bool
) -> None:
    """The name means one thing in force and another in `next/`; neither reads the other's."""
    write(folder, "policies/disclosure.toml", PARTNER.format("a.example") + RULES)
    write(folder, "policies/next/disclosure.toml", PARTNER.format("b.example") + SHADOWED)
    house = loaded(folder)
    signals = house.early_signals(Address("a", domain), ENVELOPE, MAIL, 1)
    assert dict(signals)["partner"] is (domain == "a.example")
    known = replace(from_dict({"proof": "strong"}), signals=signals)
    other = house.shadow(known, decide(house.policy, known))
    assert (other is not None and other.rule == "partners") is differs


def test_a_late_signal_of_the_shadow_is_false_at_the_door(folder: Path) -> None:
    """One that needs an account there does not take the early one of the same name in force."""
    late = '[[signal]]\nid = "partner"\naccount_in = ["x"]\n'
    write(folder, "policies/disclosure.toml", PARTNER.format("a.example") + RULES)
    write(folder, "policies/next/disclosure.toml", late + SHADOWED)
    house = loaded(folder)
    signals = house.early_signals(Address("a", "a.example"), ENVELOPE, MAIL, 1)
    assert signals == (("partner", True),)
    known = replace(from_dict({"proof": "strong"}), signals=signals)
    assert house.shadow(known, decide(house.policy, known)) is None


def test_a_hostile_subject_costs_linear_time(folder: Path) -> None:
    """A pattern that would hang a backtracking engine is answered at once."""
    signal = '[[signal]]\nid = "it"\nsubject_matches = "(a+)+$"\n'
    write(folder, "policies/disclosure.toml", signal + RULES)
    hostile = replace(MAIL, subject="a" * 50_000 + "b")
    found = loaded(folder).early_signals(Address("a", "b.example"), ENVELOPE, hostile, 1)
    assert found == (("it", False),)


def test_a_late_signal_may_not_decide_the_smtp_reply(folder: Path) -> None:
    """The door would tell something about accounts."""
    rules = """
[[signal]]
id = "gold"
service_kind_in = ["gold"]

[[rule]]
id = "gold"
when.gold = true
then = "reject"
why = "Wrong."
"""
    write(folder, "policies/disclosure.toml", rules)
    assert "whether a mail gets `reject` depends on `gold`" in complaint(folder)
