"""``croissant.json``: a data set as Croissant 1.1 describes it to machines, with what its RAI extension asks for.

The specification: https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hpvqa.dataset.facts import DESCRIPTION, is_ours, limits, making
from hpvqa.dataset.manifest import METADATA_FILE
from hpvqa.dataset.rows import AnyRow
from hpvqa.dataset.splits import Split
from hpvqa.files import FileRecord

CROISSANT_FILE = "croissant.json"
_SPDX = "https://spdx.org/licenses/"
_FIELDS = {
    "file_name": ("sc:Text", "The clip, relative to the folder of the split."),
    "question": ("sc:Text", "What is asked about the clip."),
    "answer": ("sc:Text", "The correct answer."),
    "task": ("sc:Text", "What the robot does."),
    "source": ("sc:Text", "Where the episode comes from."),
    "episode": ("sc:Integer", "Number of the episode; rows of one task, source and episode show the same event."),
    "camera": ("sc:Text", "Name of the camera."),
    "about": ("sc:Text", "The thing that a value is asked of."),
    "value": ("sc:Float", "The correct value, in the unit."),
    "unit": ("sc:Text", "The unit that is asked for."),
}
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def croissant(
    rows: Mapping[Split, Sequence[AnyRow]], files: Mapping[str, FileRecord], source: str, licence: str
) -> dict[str, Any]:
    """The description of a data set.

    Args:
        rows: The rows of each split.
        files: Size and checksum of its files, by path; those of the metadata are needed.
        source: Name of the folder that it was built from.
        licence: The Hub's name of its licence.
    """
    splits = [split for split, found in rows.items() if found]
    distribution = [entry for split in splits for entry in _distribution(split, files[f"{split}/{METADATA_FILE}"])]
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": "hpvqa-" + (re.sub(r"\W+", "-", source).strip("-").lower() or "data"),
        "description": DESCRIPTION,
        "license": _licence_address(licence),
        "version": "1.0.0",
        "isLiveDataset": False,
        "keywords": ["robotics", "video", "physical reasoning", "visual question answering"],
        "distribution": distribution,
        "recordSet": [_record_set(split, rows[split]) for split in splits],
        **_responsible(rows, source),
    }


def _licence_address(licence: str) -> str:
    """The address of a licence; its name where SPDX knows it by another, or not at all."""
    spdx = {"apache-2.0": "Apache-2.0", "mit": "MIT"}.get(licence)
    if licence.startswith("cc") and re.search(r"\d$", licence):
        spdx = licence.upper()
    return _SPDX + spdx + ".html" if spdx else licence


def _distribution(split: Split, metadata: FileRecord) -> list[dict[str, Any]]:
    return [
        {
            "@type": "cr:FileObject",
            "@id": f"{split}-metadata",
            "name": f"{split}-metadata",
            "description": f"The rows of the {split} split.",
            "contentUrl": f"{split}/{METADATA_FILE}",
            "contentSize": f"{metadata.bytes} B",
            "encodingFormat": "application/jsonlines",
            "sha256": metadata.sha256,
        },
        {
            "@type": "cr:FileSet",
            "@id": f"{split}-clips",
            "name": f"{split}-clips",
            "description": f"The clips of the {split} split.",
            "encodingFormat": "video/mp4",
            "includes": f"{split}/**/*.mp4",
        },
    ]


def _record_set(split: Split, rows: Sequence[AnyRow]) -> dict[str, Any]:
    there = {name for row in rows for name in _FIELDS if getattr(row, name, None) is not None}
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"{split}/{name}",
            "name": name,
            "description": description,
            "dataType": kind,
            "source": {"fileObject": {"@id": f"{split}-metadata"}, "extract": {"column": name}},
        }
        for name, (kind, description) in _FIELDS.items()
        if name in there
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": split,
        "name": split,
        "description": f"Questions of the {split} split; clips lie beside their metadata.",
        "field": fields,
    }


def _responsible(rows: Mapping[Split, Sequence[AnyRow]], source: str) -> dict[str, Any]:
    """What the RAI extension asks for; of data that others have made, only what is known."""
    known: dict[str, Any] = {
        "rai:dataCollection": making(rows, source),
        "rai:dataLimitations": list(limits(rows)),
        "rai:dataUseCases": [
            "To measure whether models see hidden physical properties in how things move, and to train them for it.",
            "Not to judge how safely a robot acts.",
        ],
    }
    if not is_ours(rows):
        return known
    return {
        **known,
        "rai:personalSensitiveInformation": ["None: nobody is shown, named or recorded."],
        "rai:dataCollectionType": ["Simulations"],
        "rai:dataCollectionMissingData": "Episodes whose outcome contradicts their plan are left out.",
        "rai:dataAnnotationProtocol": "No person annotates: answers follow from the values that a plan has drawn.",
        "rai:annotationsPerItem": "1",
        "rai:machineAnnotationTools": ["hpvqa"],
        "rai:dataBiases": "Answers are as even as can be within each split of a task; all else is drawn at random.",
        "rai:dataSocialImpact": "None is known: no person is shown, and no decision about people follows from it.",
        "rai:dataReleaseMaintenancePlan": "A data set is never changed: the SHA-256 of its manifest names it.",
    }
