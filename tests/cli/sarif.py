# SPDX-License-Identifier: MIT
"""Whether findings.json and findings.sarif have the structure that their readers need.

sarif.py FINDINGS.json FINDINGS.sarif GROUPS. The rules for SARIF are those of the 2.1.0 standard for
the properties that are used, restated here; python3-jsonschema, where it is there, checks them.
"""
import json
import sys

text = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}},
        "additionalProperties": False}
location = {
    "type": "object", "additionalProperties": False, "required": ["physicalLocation"],
    "properties": {"message": text, "physicalLocation": {
        "type": "object", "additionalProperties": False, "required": ["artifactLocation", "region"],
        "properties": {
            "artifactLocation": {
                "type": "object", "additionalProperties": False, "required": ["uri", "uriBaseId"],
                "properties": {"uri": {"type": "string", "pattern": "^[^/:]+(/[^/:]+)*$"},
                               "uriBaseId": {"enum": ["SRCROOT", "FINDINGS"]}}},
            "region": {"type": "object", "additionalProperties": False, "required": ["startLine"],
                       "properties": {"startLine": {"type": "integer", "minimum": 1}}}}}}}
result = {
    "type": "object", "additionalProperties": False, "required": ["ruleId", "ruleIndex", "message", "locations"],
    "properties": {
        "ruleId": {"type": "string"}, "ruleIndex": {"type": "integer", "minimum": 0},
        "level": {"enum": ["none", "note", "warning", "error"]}, "message": text,
        "locations": {"type": "array", "items": location, "minItems": 1},
        "stacks": {"type": "array", "items": {"type": "object", "required": ["frames"], "properties": {
            "frames": {"type": "array", "items": {"type": "object", "properties": {"location": location}}}}}},
        "occurrenceCount": {"type": "integer", "minimum": 1},
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
        "properties": {"type": "object"}}}
sarif_rules = {
    "type": "object", "additionalProperties": False, "required": ["version", "runs"],
    "properties": {"$schema": {"type": "string", "format": "uri"}, "version": {"const": "2.1.0"}, "runs": {
        "type": "array", "minItems": 1, "items": {
            "type": "object", "additionalProperties": False, "required": ["tool", "results"],
            "properties": {
                "tool": {"type": "object", "required": ["driver"], "properties": {"driver": {
                    "type": "object", "required": ["name", "rules"], "properties": {
                        "name": {"type": "string"}, "version": {"type": "string"},
                        "rules": {"type": "array", "uniqueItems": True, "items": {
                            "type": "object", "required": ["id"], "additionalProperties": False,
                            "properties": {"id": {"type": "string"}, "shortDescription": text}}}}}}},
                "originalUriBaseIds": {"type": "object", "additionalProperties": {
                    "type": "object", "properties": {"description": text}, "additionalProperties": False}},
                "results": {"type": "array", "items": result}}}}}}

findings = json.load(open(sys.argv[1]))
sarif = json.load(open(sys.argv[2]))
groups = int(sys.argv[3])
try:
    import jsonschema
    jsonschema.validate(sarif, sarif_rules)
except ImportError:
    print("python3-jsonschema is not there; only the essentials are checked")
run = sarif["runs"][0]
assert sarif["version"] == "2.1.0"
assert len(run["results"]) == groups == len(findings["findings"]), "another number of findings"
rules = run["tool"]["driver"]["rules"]
for entry, finding in zip(run["results"], findings["findings"]):
    assert rules[entry["ruleIndex"]]["id"] == entry["ruleId"]
    assert entry["occurrenceCount"] == finding["count"] == len(finding["inputs"])
    assert sum(variant["inputs"] for variant in finding["variants"]) <= finding["count"]
ranks = [finding["rank"] for finding in findings["findings"]]
assert ranks == sorted(ranks), "not the worst first"
