"""Certificates of the servers that tests play the world outside with."""
import pathlib
import subprocess


def make_certificates(place: pathlib.Path, names: list[str]) -> None:
    """A root of P-256 (ca.pem) and a leaf for the names (leaf.pem, leaf.key)."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=place, check=True, capture_output=True)

    alternative = ",".join(f"DNS:{name}" for name in names)
    (place / "leaf.conf").write_text(f"subjectAltName={alternative}\nextendedKeyUsage=serverAuth\n")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "3", "-subj", "/CN=test root")
    openssl("req", *key, "-keyout", "leaf.key", "-out", "leaf.csr", "-subj", f"/CN={names[0]}")
    signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "leaf.conf"]
    openssl("x509", "-req", "-in", "leaf.csr", *signing, "-out", "leaf.pem", "-days", "3")
