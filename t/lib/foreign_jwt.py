"""Tokens and keys as other implementations see them: python3-jwcrypto and
python3-jwt. Answers are JSON on stdout.

  verify TOKEN-FILE JWKS-FILE ISSUER AUDIENCE   what both say of a token
  key KEY-FILE            makes a P-256 key, kept in KEY-FILE; its public JWK
  sign KEY-FILE CLAIMS-JSON [HEADER-JSON]       a token of these claims
  certificate CERT-FILE KEY-FILE                for 127.0.0.1, by itself
  tokens KEY-FILE CLAIMS-JSON                   [[name, token], ...]: "valid..."
                                                ones by the key, and those that
                                                must be refused
"""
import base64
import copy
import datetime
import hashlib
import hmac
import ipaddress
import json
import sys
import time

import jwt as pyjwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from jwcrypto import jwk, jws
from jwcrypto.common import json_decode
from jwcrypto.jwt import JWT


def read(name):
    with open(name, encoding="ascii") as file:
        return file.read().strip()


def b64(data):
    if not isinstance(data, bytes):
        data = data.encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def verify(token_file, jwks_file, issuer, audience):
    token = read(token_file)
    keys = jwk.JWKSet.from_json(read(jwks_file))
    first = JWT(jwt=token, key=keys, algs=["ES256", "RS256"])
    header = json_decode(first.header)
    key = keys.get_key(header["kid"])
    second = pyjwt.decode(
        token, pyjwt.PyJWK(key.export_public(as_dict=True)).key,
        algorithms=["ES256", "RS256"], issuer=issuer, audience=audience)
    return {
        "header": header,
        "jwcrypto": json_decode(first.claims),
        "pyjwt": second,
        "thumbprint": key.thumbprint(),
        "private": [each.has_private for each in keys["keys"]],
    }


def make_key(key_file):
    key = jwk.JWK.generate(kty="EC", crv="P-256")
    key["kid"] = key.thumbprint()
    key["use"] = "sig"
    key["alg"] = "ES256"
    with open(key_file, "w", encoding="ascii") as file:
        file.write(key.export_private())
    return key.export_public(as_dict=True)


def sign(key, header, payload):
    """Any header and any payload bytes, really signed."""
    token = jws.JWS(payload if isinstance(payload, bytes)
                    else payload.encode())
    token.allowed_algs = ["ES256", "ES384", "RS256", "PS256", "HS256",
                          "EdDSA"]
    token.add_signature(key, None, json.dumps(header), None)
    return token.serialize(compact=True)


def resign(key, raw_header, raw_payload):
    """Bytes that jwcrypto would not make: a raw ECDSA signature over them."""
    text = b64(raw_header) + "." + b64(raw_payload)
    private = key.get_op_key("sign")
    der = private.sign(text.encode(), ec.ECDSA(hashes.SHA256()))
    r, s = utils.decode_dss_signature(der)
    return text + "." + b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def tokens(key_file, claims_json):
    key = jwk.JWK.from_json(read(key_file))
    other = jwk.JWK.generate(kty="EC", crv="P-256")
    claims = json.loads(claims_json)
    kid = key["kid"]
    head = {"alg": "ES256", "typ": "at+jwt", "kid": kid}
    now = int(time.time())
    claims.update(iat=now, nbf=now, exp=now + 300)
    body = json.dumps(claims)
    good = sign(key, head, body)
    first, second, third = good.split(".")
    out = [("valid", good)]

    def add(name, token):
        out.append((name, token))

    def changed(name, **changes):
        new = copy.deepcopy(claims)
        for field, value in changes.items():
            if value is None:
                del new[field]
            else:
                new[field] = value
        add(name, sign(key, head, json.dumps(new)))

    changed("valid: aud is a list", aud=["other", claims["aud"]])
    changed("valid: expired within the leeway", exp=now - 1)
    changed("valid: more claims", groups=["a"], acr="x", amr=["pwd"])

    # Keys.
    add("foreign key, our kid", sign(other, head, body))
    add("foreign key, its own kid",
        sign(other, dict(head, kid=other.thumbprint()), body))
    add("no kid", sign(key, {"alg": "ES256", "typ": "at+jwt"}, body))
    for wrong in ("", "../../dev/null", "' OR 1=1 --", kid + "x", kid[:-1],
                  kid.lower() if kid.lower() != kid else kid.upper()):
        add("kid " + repr(wrong), sign(key, dict(head, kid=wrong), body))
    add("jwk of the forger in the header",
        sign(other, dict(head, jwk=other.export_public(as_dict=True)), body))
    add("jku", sign(key, dict(head, jku="http://127.0.0.1:1/"), body))
    add("x5u", sign(key, dict(head, x5u="http://127.0.0.1:1/"), body))
    add("crit", resign(key, json.dumps(dict(head, crit=["exp"])), body))
    add("b64 false", resign(key, json.dumps(dict(head, b64=False)), body))

    # Algorithms.
    for alg in ("none", "None", "nOnE", "NONE", ""):
        header = b64(json.dumps(dict(head, alg=alg)))
        add("alg " + repr(alg), header + "." + second + ".")
        add("alg " + repr(alg) + ", signed", header + "." + second + "." + third)
    for name, secret in (("the public key as PEM", key.export_to_pem()),
                         ("the public key as JWK", key.export_public()),
                         ("an empty key", b""), ("x", key.get("x"))):
        text = b64(json.dumps(dict(head, alg="HS256"))) + "." + second
        secret = secret if isinstance(secret, bytes) else secret.encode()
        add("HS256 with " + name, text + "." + b64(
            hmac.new(secret, text.encode(), hashlib.sha256).digest()))
    rsa = jwk.JWK.generate(kty="RSA", size=2048)
    add("RS256", sign(rsa, dict(head, alg="RS256"), body))
    add("ES384",
        sign(jwk.JWK.generate(kty="EC", crv="P-384"),
             dict(head, alg="ES384"), body))
    add("EdDSA", sign(jwk.JWK.generate(kty="OKP", crv="Ed25519"),
                      dict(head, alg="EdDSA"), body))
    for alg in ("es256", "ES256 ", ["ES256"], 256, None, "ES256K", "RS256"):
        add("alg " + repr(alg) + ", signed with ES256",
            resign(key, json.dumps(dict(head, alg=alg)), body))
    add("no alg", resign(key, json.dumps({"typ": "at+jwt", "kid": kid}), body))

    # Types.
    for typ in ("JWT", "at+JWTx", "", "jwt", "secevent+jwt", None, 1):
        add("typ " + repr(typ),
            resign(key, json.dumps(dict(head, typ=typ)), body))
    add("no typ", resign(key, json.dumps({"alg": "ES256", "kid": kid}), body))

    # Claims.
    changed("expired", exp=now - 60)
    changed("expired long ago", exp=1)
    changed("exp 0", exp=0)
    changed("exp negative", exp=-now)
    changed("exp a string", exp=str(now + 300))
    changed("exp a fraction", exp=now + 300.5)
    changed("exp true", exp=True)
    changed("exp a list", exp=[now + 300])
    changed("no exp", exp=None)
    changed("not yet", nbf=now + 60)
    changed("nbf a string", nbf="0")
    changed("no iat", iat=None)
    changed("other issuer", iss="https://evil.example")
    changed("issuer longer", iss=claims["iss"] + "x")
    changed("issuer shorter", iss=claims["iss"][:-1])
    changed("issuer with NUL", iss=claims["iss"] + "\0")
    changed("issuer a list", iss=[claims["iss"]])
    changed("no issuer", iss=None)
    changed("other audience", aud="other")
    changed("audience a list without ours", aud=["other", "another"])
    changed("audience an empty list", aud=[])
    changed("audience in a list in a list", aud=[[claims["aud"]]])
    changed("audience an object", aud={claims["aud"]: 1})
    changed("no audience", aud=None)
    changed("no sub", sub=None)
    changed("sub a number", sub=1)
    changed("sub empty", sub="")
    changed("sub with NUL", sub=claims["sub"] + "\0x")
    changed("sub with a line feed", sub=claims["sub"] + "\n")
    changed("sub too long", sub="s" * 256)
    changed("no preferred_username", preferred_username=None)
    changed("preferred_username with NUL",
            preferred_username=claims["preferred_username"] + "\0")
    changed("preferred_username a list",
            preferred_username=[claims["preferred_username"]])
    pair = '"sub":"victim",' + body[1:]
    add("duplicate claim, first differs", resign(key, json.dumps(head),
                                                 "{" + pair))
    add("duplicate claim, last differs",
        resign(key, json.dumps(head), body[:-1] + ',"sub":"victim"}'))
    add("duplicate claim by an escape",
        resign(key, json.dumps(head), body[:-1] + ',"\\u0073ub":"victim"}'))
    add("duplicate alg",
        resign(key, '{"alg":"none",' + json.dumps(head)[1:], body))
    add("payload a list", resign(key, json.dumps(head), "[" + body + "]"))
    add("payload empty", resign(key, json.dumps(head), ""))
    add("payload not JSON", resign(key, json.dumps(head), body[:-1]))
    add("bytes behind the payload", resign(key, json.dumps(head), body + "x"))
    add("NUL behind the payload", resign(key, json.dumps(head), body + "\0"))
    add("payload not UTF-8",
        resign(key, json.dumps(head),
               body[:-1].encode() + b',"x":"\xff"}'))
    add("byte order mark", resign(key, json.dumps(head), "\ufeff" + body))

    # Grammar.
    add("no signature", first + "." + second)
    add("empty signature", first + "." + second + ".")
    add("four parts", good + "." + third)
    add("five parts", good + ".x.y")
    add("a dot in front", "." + good)
    add("only dots", "..")
    add("padding", good + "==")
    add("a line feed in a part", first + "." + second[:9] + "%0a" + second[9:]
        + "." + third)
    add("a blank behind", good + " ")
    add("a byte outside of the alphabet", good[:-3] + "!" + good[-2:])
    add("standard base64", good.replace("-", "+").replace("_", "/")
        if "-" in third + second + first or "_" in good
        else good + "+")
    alphabet = ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                "0123456789-_")
    last = alphabet[alphabet.index(good[-1]) ^ 1]
    add("unused bits of the signature", good[:-1] + last)
    add("signature one byte short",
        first + "." + second + "." + b64(
            base64.urlsafe_b64decode(third + "==")[:63]))
    add("signature one byte long",
        first + "." + second + "." + b64(
            base64.urlsafe_b64decode(third + "==") + b"\0"))
    add("signature of zeros",
        first + "." + second + "." + b64(b"\0" * 64))
    order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
    raw = base64.urlsafe_b64decode(third + "==")
    add("s + order",
        first + "." + second + "." + b64(raw[:32] + (
            (int.from_bytes(raw[32:], "big") + order) % 2 ** 256)
            .to_bytes(32, "big")))
    add("r = order",
        first + "." + second + "." + b64(order.to_bytes(32, "big") + raw[32:]))
    add("DER signature", first + "." + second + "." + b64(
        utils.encode_dss_signature(int.from_bytes(raw[:32], "big"),
                                   int.from_bytes(raw[32:], "big"))))
    for index in (3, len(first) + 5, len(first) + len(second) + 9):
        flipped = "A" if good[index] != "A" else "B"
        add("one character changed at %d" % index,
            good[:index] + flipped + good[index + 1:])
    changed("over 4096 bytes", filler="x" * 4096)
    add("64 KiB", "a" * 32000 + "." + "b" * 33448 + "." + "c" * 86)
    add("a JWE", "a.b.c.d.e")
    return out


def sign_one(key_file, claims_json, header_json="{}"):
    key = jwk.JWK.from_json(read(key_file))
    header = {"alg": "ES256", "typ": "at+jwt", "kid": key["kid"]}
    header.update(json.loads(header_json))
    return resign(key, json.dumps(header), claims_json)


def certificate(cert_file, key_file):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.utcnow()
    day = datetime.timedelta(days=1)
    local = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
            .public_key(key.public_key()).serial_number(1)
            .not_valid_before(now - day).not_valid_after(now + day)
            .add_extension(x509.SubjectAlternativeName([local]), False)
            .add_extension(x509.BasicConstraints(True, None), True)
            .sign(key, hashes.SHA256()))
    pem = serialization.Encoding.PEM
    with open(cert_file, "wb") as file:
        file.write(made.public_bytes(pem))
    with open(key_file, "wb") as file:
        file.write(key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))


def main():
    verbs = {"verify": verify, "key": make_key, "tokens": tokens,
             "sign": sign_one, "certificate": certificate}
    json.dump(verbs[sys.argv[1]](*sys.argv[2:]), sys.stdout)


main()
