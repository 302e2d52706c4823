"""An OpenAPI description of any size, in YAML: common parameters, families of types, circles."""

_ITEM = """\
  /group{group}/things{number}/{{id}}:
    parameters:
      - $ref: '#/components/parameters/id'
    get:
      operationId: things{number}/get
      summary: Get thing {number}.
      description: Returns one thing of the group, with all that hangs on it, as it is now
        and as everyone sees it who may see it at all.
      tags: [group{group}]
      parameters:
        - $ref: '#/components/parameters/page'
        - name: filter
          in: query
          style: deepObject
          description: Only things that fit all of it.
          schema:
            $ref: '#/components/schemas/Thing{first}'
      responses:
        200:
          description: The thing.
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/Thing{second}'
    put:
      operationId: things{number}/put
      summary: Replace thing {number}.
      description: What is not given is set back to what it was in the beginning.
      tags: [group{group}]
      requestBody:
        required: true
        content:
          application/json:
            schema:
              $ref: '#/components/schemas/Thing{second}'
      responses:
        204:
          description: Done.
"""

_THING = """\
    Thing{number}:
      allOf:
        - $ref: '#/components/schemas/Base'
        - type: object
          properties:
            name: {{type: string, nullable: true, description: What people call it.}}
            size: {{type: integer, minimum: 0, exclusiveMinimum: true}}
            next: {{$ref: '#/components/schemas/Thing{next}'}}
            far: {{type: array, items: {{$ref: '#/components/schemas/Thing{far}'}}}}
"""


def large_api(operations: int, schemas: int = 200) -> str:
    """Return a description with so many operations, half of which write."""
    items = "".join(
        _ITEM.format(
            group=number % 50,
            number=number,
            first=number % schemas,
            second=number * 7 % schemas,
        )
        for number in range(operations // 2)
    )
    things = "".join(
        _THING.format(number=number, next=(number + 1) % schemas, far=(number * 37 + 11) % schemas)
        for number in range(schemas)
    )
    children = "".join(
        f"        - $ref: '#/components/schemas/Thing{number}'\n" for number in range(schemas)
    )
    return f"""\
openapi: 3.0.3
info:
  title: Large
  version: 2024-01-01
servers:
  - url: https://large.example/v1
paths:
{items}components:
  parameters:
    id: {{name: id, in: path, required: true, schema: {{type: string}}}}
    page: {{name: page, in: query, schema: {{type: integer, minimum: 1}}}}
  schemas:
    Base:
      type: object
      required: [kind]
      properties:
        kind: {{type: string}}
      discriminator: {{propertyName: kind}}
      oneOf:
{children}{things}"""
