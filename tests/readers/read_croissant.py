"""Says as JSON what mlcroissant makes of a data set's description; runs in an environment of mlcroissant's."""

import json
import sys
from importlib.metadata import version

from mlcroissant import Dataset


def plain(value):
    return value.decode() if isinstance(value, bytes) else value


dataset = Dataset(jsonld=f"{sys.argv[1]}/croissant.json")
issues = dataset.metadata.ctx.issues
found = {
    "version": version("mlcroissant"),
    "errors": sorted(issues.errors),
    "warnings": sorted(issues.warnings),
    "limits": dataset.metadata.data_limitations,
    "collection": dataset.metadata.data_collection,
    "rows": {
        split.name if isinstance(split.name, str) else split.uuid: [
            {name.rpartition("/")[2]: plain(value) for name, value in row.items()}
            for row in dataset.records(split.uuid)
        ]
        for split in dataset.metadata.record_sets
    },
}
print("\n" + json.dumps(found, default=str))
