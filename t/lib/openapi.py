"""Holds answers against docs/openapi.yaml. On stdin {answers: [{app, method, path,
status, type, headers, body}], problems: [body], routes: [[app, method, path]],
firm: [[app, method, path]]}, of which firm ones cannot be made to answer 500; on
stdout a JSON list of what is wrong: an answer that is not as described, a
description of what was never answered, a route without a description.
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


def head_faults(doc, response, answer, where):
    given = {name.lower(): value for name, value in answer["headers"]}
    found = []
    for name, header in response.get("headers", {}).items():
        value = given.get(name.lower())
        header = resolve(doc, header)
        if value is None:
            found += [f"{where}: no {name}"] if header.get("required") else []
        else:
            schema = header["schema"]
            found += faults(doc, schema, value, f"{where} {name}")
    return found


def judge(doc, answer):
    where = f"{answer['method']} {answer['path']} {answer['status']}"
    operation = doc["paths"].get(answer["path"], {}).get(answer["method"].lower())
    if operation is None:
        return [where + ": not described"]
    if answer["app"] not in operation["tags"]:
        return [f"{where}: not of {answer['app']}"]
    response = operation["responses"].get(str(answer["status"]))
    if response is None:
        return [where + ": status not described"]
    response = resolve(doc, response)
    found = head_faults(doc, response, answer, where)
    content = response.get("content")
    if content is None:
        return found + ([where + ": a body"] if answer["body"] else [])
    media = (answer["type"] or "").split(";")[0]
    if media not in content:
        return found + [f"{where}: type {media}"]
    if media.startswith("text/"):
        return found
    return found + faults(doc, content[media]["schema"],
                          json.loads(answer["body"]), where)


def unseen(doc, answers, firm):
    seen = {(a["app"], a["method"].lower(), a["path"], str(a["status"]))
            for a in answers}
    seen |= {(app, method.lower(), path, "500") for app, method, path in firm}
    return [f"{method} {path} {status}: never answered by {app}"
            for path, item in doc["paths"].items()
            for method, operation in item.items() if method in METHODS
            for app in operation["tags"] for status in operation["responses"]
            if (app, method, path, status) not in seen]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        doc = yaml.safe_load(file)
    given = json.load(sys.stdin)
    wrong = [fault for answer in given["answers"] for fault in judge(doc, answer)]
    problem = {"$ref": "#/components/schemas/Problem"}
    for text in given["problems"]:
        wrong += faults(doc, problem, json.loads(text), text)
    described = {(app, method.upper(), path)
                 for path, item in doc["paths"].items()
                 for method, operation in item.items() if method in METHODS
                 for app in operation["tags"]}
    routes = {tuple(route) for route in given["routes"]}
    wrong += [f"{route}: a route, but not described" for route in routes - described]
    wrong += [f"{route}: described, but no route" for route in described - routes]
    json.dump(wrong + unseen(doc, given["answers"], given["firm"]), sys.stdout)


main()
