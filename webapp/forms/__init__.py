"""Forms: one form-js schema, rendered and checked on the server.

>>> schema = load(json_document)                                     # at deployment: Invalid with sentences
>>> parsed = parse(schema, request.form, environment)                # typed data, errors by field path
>>> html = render(schema, parsed.data, parsed.errors, environment)   # Markup with the house's field macros
"""
