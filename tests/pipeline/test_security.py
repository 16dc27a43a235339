"""What a whole run leaves behind and whom it talks to; numbers of reliability.md, section S."""

import http.server
import json
import os
import re
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from case_sync_console.hook import call
from case_sync_console.own_settings import Hook
from case_sync_sandbox.testing import RunningSandbox
from tap_salesforce_cases.settings import PROPERTIES
from target_hubspot_tickets.settings import JSON_SCHEMA

from .conftest import Project
from .expected import by_id
from .forked import Forks, Pipeline

BIN = Path(sys.executable).parent
# The logins of the sandbox, and in the other secret settings words that are theirs alone.
PLANTED = {
    "TAP_SALESFORCE_CASES_REFRESH_TOKEN": "planted-1-refresh", "TAP_SALESFORCE_CASES_PRIVATE_KEY": "planted-2-key",
    "TARGET_HUBSPOT_TICKETS_CLIENT_SECRET": "planted-3-secret", "TARGET_HUBSPOT_TICKETS_REFRESH_TOKEN": "planted-4-refresh",
    "CASE_SYNC_ON_FAILURE_URL": "http://127.0.0.1:1/planted-5-hook",
}  # fmt: skip
LEDGER = {
    "TARGET_HUBSPOT_TICKETS_LEDGER_URL": "postgresql://me:planted-6-ledger@127.0.0.1:1/ledger"
}  # nobody is there
PLANTED_WORDS = tuple(re.findall(r"planted-\d-\w+", " ".join([*PLANTED.values(), *LEDGER.values()])))
SECRETS = ("sandbox-secret", "sandbox-token", *PLANTED_WORDS)
SESSION = re.compile(r"00D\w{12}![\w.-]{20}")  # a session of Salesforce's
ASSERTION = re.compile(r"eyJ[\w-]{9,}\.[\w-]{9,}\.[\w-]{9,}")  # of a login by JWT
TLS_PEM = "chain.pem"
WORDS_OF = {
    "Case": ("Subject", "Description", "SuppliedName", "SuppliedEmail", "SuppliedPhone", "SuppliedCompany", "Callback_Phone__c", "Internal_Notes__c"),
    "Contact": ("Name", "Email", "Phone"),
    "Account": ("Name", "Website", "Phone", "BillingStreet"),
    "User": ("Name", "Email"),
}  # fmt: skip
Name = str


def customers_words(sandbox: RunningSandbox) -> list[str]:
    """What customers wrote and who they and their agents are; long enough to be nobody else's words."""
    words = [
        line
        for object_name, names in WORDS_OF.items()
        for record in by_id(sandbox, object_name).values()
        for name in names
        for line in str(record[name] or "").splitlines()
    ]
    return sorted({word for word in words if len(word) > 8})


def files_of(folder: Path) -> dict[str, str]:
    """Every file that is not the admin's own (the definition, .env), as text."""
    return {
        str(path.relative_to(folder)): path.read_bytes().decode("utf-8", "replace")
        for path in folder.rglob("*")
        if path.is_file() and path.name not in {"meltano.yml", ".env"}
    }


def holders(texts: dict[str, str], words: list[str] | tuple[str, ...]) -> list[str]:
    return [f"{name}: {word}" for name, text in texts.items() for word in words if word in text]


@dataclass
class Arguments:
    """The command lines of all processes, looked at all the time."""

    seen: set[str] = field(default_factory=set)

    @contextmanager
    def watched(self) -> Iterator[None]:
        over = threading.Event()

        def look() -> None:
            while not over.wait(0.05):
                for path in Path("/proc").glob("[0-9]*/cmdline"):
                    try:
                        self.seen.add(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
                    except OSError:
                        continue

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def tell(sync: Project, variables: Mapping[str, str]) -> None:
    """The settings in `.env`, as an admin writes them; and a folder for temporary files that can be looked into."""
    text = "".join(f'{name}="{value}"\n' for name, value in variables.items())
    (sync.folder / ".env").write_text(text, encoding="utf-8")
    (sync.folder / "tmp").mkdir()
    sync.env["TMPDIR"] = str(sync.folder / "tmp")


def run_program(sync: Project, program: str, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A program in the project's folder, all that it printed in `stdout`."""
    return subprocess.run(
        [str(BIN / program), *args],
        cwd=sync.folder,
        env={**sync.env, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=240,
    )


def test_S1_nothing_that_a_run_leaves_holds_a_secret_or_a_word_of_a_customer(
    sandbox: RunningSandbox, project: Callable[..., Project]
) -> None:
    """A good run, one at level debug, a login whose refusal quotes the secret, a ledger that is not there: all that they print and leave.

    That is output, files, state, arguments, temporary files; a case is rejected, and the webhook is told of the ledger. At level debug Meltano
    itself prints the messages that it passes on, cases included: only secrets are looked for there.
    """
    sandbox.seed(30)
    case_id = next(iter(by_id(sandbox, "Case")))
    sandbox.admin(
        "POST",
        "salesforce/records",
        {"action": "update", "id": case_id, "values": {"Status": "No such stage"}},
    )
    sync, arguments = project(), Arguments()
    tell(sync, PLANTED)
    with arguments.watched():
        good = sync.sync("--full-refresh")
        debug = sync.meltano("--log-level=debug", "run", "case-sync")
        no_ledger = run_program(sync, "case-sync", "run", **LEDGER)
    assert (good.returncode, debug.returncode, no_ledger.returncode) == (0, 0, 10), good.output
    assert "on_failure_url: 127.0.0.1 could not be called" in no_ledger.stdout
    quoting = {"error": "invalid_client", "error_description": "sandbox-secret is wrong"}
    sandbox.faults(
        [{"half": "salesforce", "path": "oauth2/token", "action": "answer", "status": 400, "body": quoting}]
    )
    refused = sync.meltano("--log-level=debug", "run", "case-sync", **LEDGER)
    assert refused.returncode != 0
    assert "*** is wrong" in refused.output

    left = files_of(sync.folder)
    printed = {
        "good": good.output,
        "refused": refused.output,
        "no ledger": no_ledger.stdout,
        "arguments": "\n".join(arguments.seen),
    }
    assert holders({"debug": debug.output}, SECRETS) == []
    assert not SESSION.search(debug.output)
    assert len(left) > 3
    assert any("target-hubspot-tickets" in line for line in arguments.seen)
    assert holders(left | printed, SECRETS) == []
    assert [name for name, text in (left | printed).items() if SESSION.search(text)] == []
    words = customers_words(sandbox)
    assert len(words) > 30
    elsewhere = {
        name: text for name, text in left.items() if not name.startswith("hubspot-tickets-ledger.db")
    }
    assert holders(elsewhere | printed, words) == []
    ledger = sync.folder / "hubspot-tickets-ledger.db"
    assert holders({"ledger": ledger.read_bytes().decode("utf-8", "replace")}, words)
    assert ledger.stat().st_mode & 0o777 == 0o600


# -- the other ways to log in


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A way into both systems.

    Attributes:
        told: what an admin writes into `.env` for it.
        secrets: words that may be nowhere else.
        refusal: where and how a vendor refuses it, quoting what was sent.
        kept_in: a file that the admin asked to have a secret in.
    """

    told: Mapping[str, str]
    secrets: tuple[str, ...]
    refusal: Mapping[str, Any]
    kept_in: str = ""


HUBSPOT_APP = {
    "TARGET_HUBSPOT_TICKETS_CLIENT_ID": "sandbox-client",
    "TARGET_HUBSPOT_TICKETS_CLIENT_SECRET": "sandbox-secret",
    "TARGET_HUBSPOT_TICKETS_REFRESH_TOKEN": "sandbox-refresh",
}
OF_THE_APP = ("sandbox-secret", "sandbox-refresh", "sandbox-access-")


def refusal(half: str, *quoted: str) -> dict[str, Any]:
    body = {"error": "invalid_grant", "error_description": f"{' and '.join(quoted)} is wrong"}
    return {"half": half, "path": "oauth", "action": "answer", "status": 400, "body": body}


def by_refresh_token(sandbox: RunningSandbox) -> Login:
    """Salesforce gives another one with each login, which the admin asked to have kept."""
    sandbox.admin("POST", "salesforce/switches", {"rotate_refresh_tokens": True})
    told = {
        "TAP_SALESFORCE_CASES_AUTH_METHOD": "refresh_token",
        "TAP_SALESFORCE_CASES_REFRESH_TOKEN": "sandbox-refresh",
        "TAP_SALESFORCE_CASES_REFRESH_TOKEN_PATH": "kept-token",
    }
    return Login(
        told=told | HUBSPOT_APP,
        secrets=OF_THE_APP,
        refusal=refusal("salesforce", "sandbox-secret"),
        kept_in="kept-token",
    )


def by_jwt(sandbox: RunningSandbox) -> Login:
    key = sandbox.admin("POST", "salesforce/jwt-key")
    told = {
        "TAP_SALESFORCE_CASES_AUTH_METHOD": "jwt_bearer",
        "TAP_SALESFORCE_CASES_USERNAME": key["username"],
        "TAP_SALESFORCE_CASES_PRIVATE_KEY": key["private_key"].replace("\n", "\\n"),
    }
    return Login(
        told=told | HUBSPOT_APP,
        secrets=(*OF_THE_APP, *key["private_key"].splitlines()[1:-1]),
        refusal=refusal("hubspot", "sandbox-refresh", "sandbox-secret"),
    )


def without_token(definition: dict[str, Any]) -> None:
    """Of HubSpot: it would be preferred to the OAuth app."""
    (target,) = definition["environments"][0]["config"]["plugins"]["loaders"]
    del target["config"]["access_token"]


@pytest.mark.parametrize("way", [by_refresh_token, by_jwt])
def test_S1_nor_does_a_run_that_logs_in_another_way(
    sandbox: RunningSandbox, project: Callable[..., Project], way: Callable[[RunningSandbox], Login]
) -> None:
    """A run at level debug, and one whose login is refused by a vendor who quotes what was sent."""
    sandbox.seed(10)
    sync, arguments, login = project(without_token), Arguments(), way(sandbox)
    tell(sync, login.told)
    with arguments.watched():
        good = sync.meltano("--log-level=debug", "run", "case-sync")
    assert (good.returncode, len(sandbox.tickets())) == (0, 10), good.output
    assert all(sandbox.requests(half=half, path="oauth") for half in ("salesforce", "hubspot"))
    kept = (sync.folder / login.kept_in).read_text(encoding="utf-8") if login.kept_in else None
    sandbox.faults([login.refusal])
    refused = sync.meltano("--log-level=debug", "run", "case-sync")
    assert refused.returncode != 0
    assert "Error: " in refused.output

    secrets = [*login.secrets, *([kept] if kept else [])]
    texts = {name: text for name, text in files_of(sync.folder).items() if name != login.kept_in}
    texts |= {"good": good.output, "refused": refused.output, "arguments": "\n".join(arguments.seen)}
    assert len(texts) > 6
    assert holders(texts, secrets) == []
    assert [name for name, text in texts.items() if SESSION.search(text) or ASSERTION.search(text)] == []


# -- what is asked about the settings


ABOUT = [
    ("tap-salesforce-cases", "--about", "--format=json"), ("tap-salesforce-cases", "--config=ENV", "--about", "--format=markdown"),
    ("case-ticket-mapper", "--about", "--format=json"),
    ("target-hubspot-tickets", "--about", "--format=json"), ("target-hubspot-tickets", "--config=ENV", "--about", "--format=markdown"),
]  # fmt: skip
CONFIG = [
    *(("meltano", "config", how, plugin) for how in ("print", "list") for plugin in ("tap-salesforce-cases", "target-hubspot-tickets", "case-sync")),
    ("meltano", "config", "print", "--format=env", "target-hubspot-tickets"),
]  # fmt: skip


def every_secret() -> dict[str, str]:
    """A variable for each secret setting, the value a word of its own."""
    tables = {"TAP_SALESFORCE_CASES": PROPERTIES, "TARGET_HUBSPOT_TICKETS": JSON_SCHEMA["properties"]}
    names = [
        f"{plugin}_{name.upper()}" for plugin, table in tables.items() for name, one in table.items() if one.get("secret")
    ]  # fmt: skip
    planted = {name: f"planted-{number}-{name.lower()}" for number, name in enumerate(names)}
    hook = {"CASE_SYNC_ON_FAILURE_URL": "https://hooks.example/planted-9-hook"}
    return planted | {"TARGET_HUBSPOT_TICKETS_LEDGER_URL": LEDGER["TARGET_HUBSPOT_TICKETS_LEDGER_URL"]} | hook


def test_S1_neither_about_nor_meltano_s_config_tells_a_secret(project: Callable[..., Project]) -> None:
    """All that are marked as such, set in the environment of the plugins and in `.env` for Meltano, which redacts them unless told --unsafe."""
    sync, secrets = project(), every_secret()
    assert len(secrets) > 6
    tell(sync, secrets)
    first, *others = CONFIG
    told = {first: run_program(sync, *first)}  # Meltano makes its database
    with ThreadPoolExecutor(4) as pool:
        told |= zip(others, pool.map(lambda one: run_program(sync, *one), others), strict=True)
        told |= zip(ABOUT, pool.map(lambda one: run_program(sync, *one, **secrets), ABOUT), strict=True)
    assert {one: done.stdout for one, done in told.items() if done.returncode} == {}
    texts = {" ".join(one): done.stdout for one, done in told.items()} | files_of(sync.folder)
    assert holders(texts, ["planted-"]) == []
    for one in ("client_secret", "ledger_url", "on_failure_url"):
        assert any(one in text.lower() for text in texts.values())


def test_S1_S4_answers_of_hubspots_that_quote_a_record_are_not_repeated(
    sandbox: RunningSandbox, forks: Forks, tmp_path: Path
) -> None:
    sandbox.seed(20)
    words = customers_words(sandbox)
    body = {
        "status": "error", "category": "VALIDATION_ERROR", "correlationId": "c-1", "message": f"Property values were not valid: {words}",
        "errors": [{"message": words[0], "code": "INVALID_OPTION", "context": {"value": words}}],
    }  # fmt: skip
    sandbox.faults(
        [{"half": "hubspot", "path": "batch/upsert", "action": "answer", "status": 400, "body": body}]
    )
    pipeline = Pipeline(forks=forks, folder=tmp_path, sandbox=sandbox)
    ended = pipeline.run()
    assert ended.report["rejected"] == 20, ended.log
    left = {n: t for n, t in files_of(tmp_path).items() if not n.startswith("hubspot-tickets-ledger.db")}
    assert holders(left, words) == []
    secrets = [name for name in left if holders({name: left[name]}, SECRETS)]
    assert set(secrets) <= {"tap.json", "target.json"}  # what the test itself gives to the programs


def test_S5_what_a_run_leaves_is_its_owners_whatever_the_umask(
    sandbox: RunningSandbox, forks: Forks, tmp_path: Path
) -> None:
    sandbox.seed(60)
    before = os.umask(0)
    try:
        with Forks() as warm:  # it has the umask of now
            files = {
                name: str(tmp_path / f"{name}.out")
                for name in ("plan_path", "progress_path", "deletes_path", "ledger_url", "report_path")
            }
            tap_files = {
                name: str(tmp_path / f"tap-{name}.out") for name in ("describe_cache_path", "report_path")
            }
            target = files | {"max_deletes": 0, "max_delete_ratio": 0}
            pipeline = Pipeline(forks=warm, folder=tmp_path, sandbox=sandbox, tap=tap_files, target=target)
            pipeline.rules = pipeline.rules | {"on_case_deleted": "delete_ticket"}
            pipeline.run()
            sandbox.mutate(deletes=3)
            pipeline.run()
            pipeline.target |= {"dry_run": True}
            pipeline.run()
    finally:
        os.umask(before)
    made = {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir() if ".out" in path.name}
    assert made.keys() >= {Path(path).name for path in [*files.values(), *tap_files.values()]}
    assert set(made.values()) == {"0o600"}, made


# -- S10


def _certificate(
    subject: Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    key: ec.EllipticCurvePrivateKey,
    *,
    issuer: Name,
    days: int,
    is_ca: bool = False,
    host: str | None = None,
) -> x509.Certificate:
    def name(text: Name) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=9)).not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    )  # fmt: skip
    if host:
        address = x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
        made = made.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    return made.sign(issuer_key, hashes.SHA256())


def write_certificates(folder: Path, fault: str) -> None:
    """ca.pem, which the programs are told to trust, and the server's chain.pem, which has the fault."""
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = _certificate("Ours", ca_key, ca_key, issuer="Ours", days=9, is_ca=True)
    signer, issuer = (key, "127.0.0.1") if fault == "self-signed" else (ca_key, "Ours")
    host = "login.elsewhere.example" if fault == "other host" else "127.0.0.1"
    server = _certificate(
        "127.0.0.1", signer, key, issuer=issuer, days=-1 if fault == "expired" else 9, host=host
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "ca.pem").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    (folder / TLS_PEM).write_bytes(server.public_bytes(serialization.Encoding.PEM) + private)


@contextmanager
def tls_server(folder: Path) -> Iterator[tuple[int, list[str]]]:
    """Its port, and the requests that reached it."""
    reached: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            reached.append(self.path)
            self.send_error(400)

        do_POST = do_GET  # noqa: N815 - as http.server names them

        def log_message(self, *_: object) -> None: ...

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None: ...

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / TLS_PEM)
    with Server(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield int(server.server_address[1]), reached
        server.shutdown()


PROGRAMS: dict[str, dict[str, Any]] = {
    "tap-salesforce-cases": {
        "login_url": "",
        "client_id": "id",
        "client_secret": "our-own",
        "max_tries": 1,
        "retry_wait_seconds": 0,
    },
    "target-hubspot-tickets": {"base_url": "", "access_token": "our-own", "max_tries": 1},
}


@pytest.mark.parametrize("fault", ["none", "self-signed", "other host", "expired"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_S10_a_certificate_that_is_not_right_gets_no_credential(
    tmp_path: Path, program: str, fault: str
) -> None:
    """Our own authority is trusted by REQUESTS_CA_BUNDLE, and with a right certificate the login arrives: so it is the fault that counts."""
    write_certificates(tmp_path, fault)
    with tls_server(tmp_path) as (port, reached):
        settings = {n: f"https://127.0.0.1:{port}" if v == "" else v for n, v in PROGRAMS[program].items()}
        (tmp_path / "config.json").write_text(json.dumps(settings), encoding="utf-8")
        options = ["--check"] if program.startswith("target") else []
        done = subprocess.run(
            [str(BIN / program), "--config", "config.json", *options],
            cwd=tmp_path, env={**os.environ, "REQUESTS_CA_BUNDLE": str(tmp_path / "ca.pem")}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    assert done.returncode != 0
    assert bool(reached) is (fault == "none"), done.stderr
    assert not re.search("Traceback|a fault of this program", done.stderr)
    assert "our-own" not in done.stdout + done.stderr


@pytest.mark.parametrize("fault", ["none", "self-signed", "other host", "expired"])
def test_S10_nor_does_it_get_a_webhook_s_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """The console's own calls; here the authority is trusted by SSL_CERT_FILE."""
    write_certificates(tmp_path, fault)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with tls_server(tmp_path) as (port, reached):
        hook = Hook(command=None, url=f"https://127.0.0.1:{port}/s3cret")
        (problem,) = call(hook, {"event": "failure"}, tmp_path)
    assert bool(reached) is (fault == "none"), problem
    assert ("answered 400" in problem) is (fault == "none"), problem
    assert "s3cret" not in problem


def test_S10_no_setting_is_about_certificates() -> None:
    """So none can say that they are not to be checked."""
    names = [*PROPERTIES, *JSON_SCHEMA["properties"]]
    assert len(names) > 40
    assert [name for name in names if re.search("verify|insecure|ssl|tls|cert", name)] == []
