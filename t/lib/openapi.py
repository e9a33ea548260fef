"""Holds answers against docs/openapi.yaml: answers on stdin, a JSON list of
{method, path, status, type, body}; on stdout a JSON list of what is wrong.
The schemas use type, properties, required, additionalProperties, items, enum,
const, pattern and $ref; another word is wrong, too."""
import json
import re
import sys

import yaml

KNOWN = {"type", "properties", "required", "additionalProperties", "items",
         "enum", "const", "pattern", "$ref"}
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool,
         "integer": int}
METHODS = {"get", "post", "put", "patch", "delete"}


def resolve(doc, node):
    while "$ref" in node:
        at = doc
        for part in node["$ref"].lstrip("#/").split("/"):
            at = at[part]
        node = at
    return node


def faults(doc, schema, value, where):
    schema = resolve(doc, schema)
    found = [f"{where}: unknown word {word}" for word in schema if word not in KNOWN]
    kind = TYPES.get(schema.get("type"), object)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        return found + [f"{where}: not {schema['type']}"]
    if "const" in schema and value != schema["const"]:
        found.append(f"{where}: not {schema['const']}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where}: {value} is none of {schema['enum']}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{where}: {value} does not match")
    if kind is list:
        for item in value:
            found += faults(doc, schema["items"], item, where + "[]")
    if kind is dict:
        known = schema.get("properties", {})
        found += [f"{where}: no {name}" for name in schema.get("required", [])
                  if name not in value]
        for name, member in value.items():
            if name in known:
                found += faults(doc, known[name], member, f"{where}.{name}")
            elif schema.get("additionalProperties") is False:
                found.append(f"{where}: {name} is unknown")
    return found


def judge(doc, answer):
    where = f"{answer['method']} {answer['path']} {answer['status']}"
    operation = doc["paths"].get(answer["path"], {}).get(answer["method"].lower())
    if operation is None:
        return [where + ": not described"]
    response = operation["responses"].get(str(answer["status"]))
    if response is None:
        return [where + ": status not described"]
    content = resolve(doc, response).get("content")
    if content is None:
        return [where + ": a body"] if answer["body"] else []
    media = (answer["type"] or "").split(";")[0]
    if media not in content:
        return [f"{where}: type {media}"]
    if media == "text/plain":
        return []
    return faults(doc, content[media]["schema"], json.loads(answer["body"]), where)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        doc = yaml.safe_load(file)
    wrong = []
    answers = json.load(sys.stdin)
    for answer in answers:
        wrong += judge(doc, answer)
    seen = {(a["method"].lower(), a["path"]) for a in answers
            if a["status"] < 400}
    for path, item in doc["paths"].items():
        wrong += [f"{method} {path}: never answered" for method in item
                  if method in METHODS and (method, path) not in seen]
    json.dump(wrong, sys.stdout)


main()
