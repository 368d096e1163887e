# SPDX-License-Identifier: Apache-2.0
"""HTTPS for the tests: a certificate of the moment, and who trusts it."""
import os
import ssl
import subprocess

from coverage import (UPLOAD_BYTES, HttpSuite, plan, scenario_options, upload,
                      want)
from truth_server import TruthServer


def make_certificate(folder):
    """cert.pem and key.pem for localhost and 127.0.0.1, for two days."""
    cert = os.path.join(folder, "cert.pem")
    key = os.path.join(folder, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
                    key, "-out", cert], check=True, stderr=subprocess.DEVNULL)
    return cert, key


def server_context(cert, key, version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    context.minimum_version = context.maximum_version = version
    return context


class TlsSuite(HttpSuite):
    """One server for each version; every program is told whom to trust."""

    def __init__(self, name):
        super().__init__(name)
        self.cert, key = make_certificate(self.runner.home)
        self.contexts = {
            "tls12": server_context(self.cert, key, ssl.TLSVersion.TLSv1_2),
            "tls13": server_context(self.cert, key, ssl.TLSVersion.TLSv1_3)}
        self.env = dict.fromkeys(
            ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE",
             "GIT_SSL_CAINFO", "PERL_LWP_SSL_CA_FILE"], self.cert)
        self.body = self.runner.write("upload", upload())

    def once(self, argv, traced, env=None, **options):
        return super().once(argv, traced, env=dict(self.env, **env or {}),
                            **options)

    def both(self, name, commands, slow=False, **options):
        """commands(url) gives (argv, wanted) or (argv, wanted, options);
        slow: by a server that takes it in small sips."""
        more = {"rcvbuf": 4096, "read_step": 8192,
                "read_pause_ms": 1} if slow else {}
        for version, context in self.contexts.items():
            def run(context=context):
                with TruthServer(tls=context, **more) as server:
                    for argv, wanted, *own in commands(server.url):
                        self.on(server).run_http(
                            argv, wanted, **dict(options, **dict(*own)))
            self.add("%s-%s" % (name, version), run)

    def client(self, name, argv, scenarios, **options):
        """A client from tests/e2e/programs."""
        def commands(url):
            for scenario in scenarios:
                own = scenario_options(scenario)
                wanted = own.pop("wanted")
                yield (argv + plan(url(""), scenario, self.body), wanted,
                       dict(own, **options))
        self.both(name, commands)
        self.both(name + "-slow-reader", lambda url: [
            (argv + plan(url(""), "post", self.body),
             [want("POST", "/ok", 200, UPLOAD_BYTES)], options)], slow=True)
