"""Makes calls with the botocore of Debian's AWS CLI, a client that has nothing to do with this project, and says what it
makes of the answers.

Reads one JSON object a line: service, endpoint, operation, parameters, credentials, and perhaps extra (form fields that are
added to the request, or put in place of its own). Writes one a line: the output or the error as botocore understands them, and
what the answer has that AWS's model of the operation does not: each element is walked against it.
"""
import json
import re
import sys
import xml.etree.ElementTree as ElementTree

try:
    # Version 2 has botocore within, and makes it known by this.
    import awscli  # noqa: F401
except ImportError:
    pass
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session

LEAVES = {
    'boolean': r'true|false',
    'integer': r'-?\d+',
    'long': r'-?\d+',
    'float': r'-?\d+(\.\d+)?',
    'double': r'-?\d+(\.\d+)?',
    'timestamp': r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z',
}
REGION = sys.argv[1]
SESSION = Session()
ERRORS = {
    'ec2': {'Response': ['Errors', 'RequestID'], 'Errors': ['Error'], 'Error': ['Code', 'Message']},
    'query': {'ErrorResponse': ['Error', 'RequestId'], 'Error': ['Type', 'Code', 'Message']},
}


def name_of(element):
    return element.tag.rsplit('}', 1)[-1]


def strange(element, shape, path):
    """What of the element is not in the shape, a line each."""
    if shape.type_name == 'structure':
        members = {member.serialization.get('name', name): member for name, member in shape.members.items()}
        seen = set()
        for child in element:
            name = name_of(child)
            if name not in members:
                yield f'{path}.{name} is invented'
                continue
            if name in seen:
                yield f'{path}.{name} is there twice'
            seen.add(name)
            yield from strange(child, members[name], f'{path}.{name}')
    elif shape.type_name == 'list':
        expected = shape.member.serialization.get('name', 'member')
        for child in element:
            if name_of(child) == expected:
                yield from strange(child, shape.member, f'{path}[]')
            else:
                yield f'{path}.{name_of(child)} is no {expected}'
    elif len(element) > 0:
        yield f'{path} has elements'
    elif not re.fullmatch(LEAVES.get(shape.type_name, r'(?s:.*)'), element.text or ''):
        yield f'{path} is no {shape.type_name}: {element.text}'
    elif getattr(shape, 'enum', None) and element.text not in shape.enum:
        yield f'{path} may not be {element.text}'


def strange_answer(body, operation, protocol):
    root = ElementTree.fromstring(body)
    shape = operation.output_shape
    if name_of(root) != f'{operation.name}Response':
        yield f'{name_of(root)} is no {operation.name}Response'
    if protocol == 'ec2':
        wrapped, meta = list(root), ['requestId']
    else:
        results = [child for child in root if name_of(child) == f'{operation.name}Result']
        wrapped = [child for result in results for child in result]
        meta = [f'{operation.name}Result', 'ResponseMetadata']
    rest = [name_of(child) for child in root if child not in wrapped or name_of(child) in meta]
    if sorted(rest) != sorted(meta):
        yield f'beside the result there is {rest}, not {meta}'
    result = ElementTree.Element('result')
    result.extend(child for child in wrapped if name_of(child) not in meta)
    if shape is not None:
        yield from strange(result, shape, operation.name)
    # An action without an output says that it is done.
    elif [name_of(child) for child in result] not in ([], ['return']):
        yield f'{operation.name} has no output, and there is {[name_of(child) for child in result]}'


def strange_error(body, protocol):
    forms = ERRORS[protocol]
    root = ElementTree.fromstring(body)
    if name_of(root) not in forms:
        yield f'an error is no {name_of(root)}'
    for element in root.iter():
        expected = forms.get(name_of(element), [])
        if [name_of(child) for child in element] != expected:
            yield f'{name_of(element)} has {[name_of(child) for child in element]}, not {expected}'


CLIENTS = {}


def client_for(service, endpoint, credentials):
    key = (service, endpoint, credentials['access_key'], credentials['secret_key'])
    if key not in CLIENTS:
        CLIENTS[key] = SESSION.create_client(
            service,
            region_name=REGION,
            endpoint_url=endpoint,
            aws_access_key_id=credentials['access_key'],
            aws_secret_access_key=credentials['secret_key'],
            aws_session_token=credentials['token'],
            config=Config(parameter_validation=False),
        )
    return CLIENTS[key]


def answer_to(asked):
    client = client_for(asked['service'], asked['endpoint'], asked['credentials'])
    model = client.meta.service_model
    operation = model.operation_model(asked['operation'])
    protocol = model.metadata['protocol']
    said = {}

    def add(params, **_others):
        params['body'].update(asked.get('extra', {}))

    def note(response_dict, **_others):
        said['status'] = response_dict['status_code']
        body = response_dict['body']
        is_error = response_dict['status_code'] >= 300
        said['strange'] = list(
            strange_error(body, protocol) if is_error else strange_answer(body, operation, protocol)
        )

    service_id = model.service_id.hyphenize()
    hooks = [
        (f'before-call.{service_id}.{operation.name}', add),
        (f'response-received.{service_id}.{operation.name}', note),
    ]
    for event, hook in hooks:
        client.meta.events.register(event, hook)
    try:
        said['output'] = client._make_api_call(operation.name, asked['parameters'])
    except ClientError as error:
        said['error'] = error.response['Error']
        said['requestId'] = error.response['ResponseMetadata'].get('RequestId')
    finally:
        for event, hook in hooks:
            client.meta.events.unregister(event, hook)
    return said


for line in sys.stdin:
    print(json.dumps(answer_to(json.loads(line)), default=str), flush=True)
