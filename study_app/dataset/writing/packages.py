"""The same tables described for other tools: Frictionless' datapackage.json and MLCommons' croissant.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from study_app.dataset.schema import Column, TableName, TableSchema
from study_app.dataset.writing.citation import Cited, schema_org

_FRICTIONLESS = {
    "text": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "time": "datetime",
    "json": "string",
}
_CROISSANT = {
    "text": "sc:Text",
    "integer": "sc:Integer",
    "number": "sc:Float",
    "boolean": "sc:Boolean",
    "time": "sc:DateTime",
    "json": "sc:Text",
}
_KEYS: dict[TableName, list[str]] = {
    "participants": ["participant_id"],
    "allocations": ["decision", "ledger", "allocation_index"],
    "visits": ["participant_id", "stage"],
    "events": ["event_id"],
    "runs": ["run_id"],
    "turns": ["turn_id"],
    "ratings": ["rating_id"],
}
"""What no two rows of a table share."""
_MEDIA_TYPES = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}


@dataclass(frozen=True)
class TableFile:
    """A table as a file of the dataset."""

    table: TableSchema
    path: str
    sha256: str
    size: int
    """Bytes."""

    @property
    def format(self) -> str:
        """The format: csv or parquet."""
        return self.path.rsplit(".", 1)[-1]


def datapackage(cited: Cited, files: Mapping[TableName, TableFile], *, public: bool = False) -> dict[str, Any]:
    """datapackage.json of Frictionless: types, categories, ranges and keys of each table.

    Args:
        cited: the dataset.
        files: its tables.
        public: whether it is for everybody: the places in the ledger are left out, and with them its key.
    """
    release = cited.release
    package: dict[str, Any] = {
        "name": f"study-{cited.study.id.lower()}",
        "title": cited.study.title,
        "description": cited.description,
        "version": release.version,
        "created": f"{cited.exported_on}T00:00:00Z",
        "contributors": [
            {"title": author.name, "role": "author"}
            | ({"path": f"https://orcid.org/{author.orcid}"} if author.orcid else {})
            | ({"organization": author.affiliation} if author.affiliation else {})
            for author in cited.authors
        ],
        "licenses": [_license(release.license, release.license_url)] if release.license else [],
        "keywords": list(release.keywords),
        "resources": [_resource(file, public) for file in files.values()],
    }
    return {name: value for name, value in package.items() if value}


def _license(name: str, url: str) -> dict[str, str]:
    return {"path": url} if "://" in name else {"name": name, "path": url}


def _resource(file: TableFile, public: bool) -> dict[str, Any]:
    resource: dict[str, Any] = {
        "name": file.table.name,
        "description": file.table.caption,
        "path": file.path,
        "format": file.format,
        "mediatype": _MEDIA_TYPES[file.format],
        "bytes": file.size,
        "hash": f"sha256:{file.sha256}",
        "schema": _schema(file.table, public),
    }
    if file.format == "csv":
        resource["profile"] = "tabular-data-resource"
        resource |= {"encoding": "utf-8", "dialect": {"lineTerminator": "\r\n", "quoteChar": '"', "doubleQuote": True}}
    else:
        # The standard knows tables of text. Its validator takes a null of Parquet for the number nan, finds no size of
        # such a table, and refuses both; of a file it checks size and hash.
        resource["type"] = "file"
    return resource


def _schema(table: TableSchema, public: bool) -> dict[str, Any]:
    schema: dict[str, Any] = {"fields": [_field(column) for column in table.columns], "missingValues": [""]}
    key = None if public and table.name == "allocations" else _KEYS.get(table.name)
    if key:
        # In a pool each site has its own ledger, numbered from 1.
        schema["primaryKey"] = [*key, "site"] if table.name == "allocations" and "site" in table.names else key
    if table.name not in ("participants", "allocations") and "participant_id" in table.names:
        reference = {"resource": "participants", "fields": ["participant_id"]}
        schema["foreignKeys"] = [{"fields": ["participant_id"], "reference": reference}]
    return schema


def _field(column: Column) -> dict[str, Any]:
    field: dict[str, Any] = {"name": column.name, "type": _FRICTIONLESS[column.type], "description": column.caption}
    if column.type == "boolean":
        field |= {"trueValues": ["1"], "falseValues": ["0"]}
    if column.type == "time":
        field["format"] = "any"
    constraints: dict[str, Any] = {}
    if column.levels:
        constraints["enum"] = [int(level) if column.type == "integer" else level for level in column.levels]
        field["categories"] = [
            {"value": int(value) if column.type == "integer" else value, "label": label}
            for value, label in column.meanings
        ]
    if column.low is not None:
        constraints["minimum"] = column.low
    if column.high is not None:
        constraints["maximum"] = column.high
    if constraints:
        field["constraints"] = constraints
    return field


_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
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
"""The context that the specification of Croissant 1.0 prescribes."""


def croissant(cited: Cited, files: Mapping[TableName, TableFile]) -> dict[str, Any]:
    """croissant.json of MLCommons (1.0): the files with their hashes, and a record set for each table."""
    address = f"https://doi.org/{cited.release.doi}" if cited.release.doi else cited.release.registration
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": f"study-{cited.study.id}",
        "description": cited.description,
        "datePublished": cited.exported_on,
        "citeAs": cited.text,
        **({"url": address} if address else {}),
        **{name: value for name, value in schema_org(cited).items() if name in ("license", "version", "publisher")},
        "creator": schema_org(cited).get("author", [{"@type": "Organization", "name": f"Study {cited.study.id}"}]),
        "distribution": [_file_object(file) for file in files.values()],
        "recordSet": [_record_set(file) for file in files.values()],
    }


def _file_object(file: TableFile) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": file.path.rsplit("/", 1)[-1],
        "name": file.path.rsplit("/", 1)[-1],
        "description": file.table.caption,
        "contentUrl": file.path,
        "contentSize": f"{file.size} B",
        "encodingFormat": _MEDIA_TYPES[file.format] if file.format == "csv" else "application/x-parquet",
        "sha256": file.sha256,
    }


def _record_set(file: TableFile) -> dict[str, Any]:
    source = {"@id": file.path.rsplit("/", 1)[-1]}
    return {
        "@type": "cr:RecordSet",
        "@id": file.table.name,
        "name": file.table.name,
        "description": file.table.caption,
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{file.table.name}/{column.name}",
                "name": column.name,
                "description": column.caption,
                "dataType": _CROISSANT[column.type],
                "source": {"fileObject": source, "extract": {"column": column.name}},
            }
            for column in file.table.columns
        ],
    }
