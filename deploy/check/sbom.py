"""Bills of materials against the schema that their readers use: python sbom.py FILE…"""
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

validator = JsonStrictValidator(SchemaVersion.V1_6)
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        wrong = validator.validate_str(file.read())
    if wrong is not None:
        sys.exit(f"{path}: {wrong}")
