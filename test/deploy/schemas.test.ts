/** The templates, held against AWS's own resource schemas: types, properties, attributes, and what is required. */
import type { PropertyType, ResourceProperties } from '@aws-cdk/service-spec-types';
import { membersOf, replacedBy, resourceSchema } from '../../scripts/deployUpdates';
import { names, read, resolver, valuesOf, type Json, type Members, type Template } from './cloudFormation';

/** What is beside the type and the properties of a resource. */
const RESOURCE_KEYS = [
  'Type',
  'Properties',
  'Condition',
  'DependsOn',
  'DeletionPolicy',
  'UpdatePolicy',
  'UpdateReplacePolicy',
];

/** Every parameter given, the last of its allowed values where it has some. */
function everythingGiven({ Parameters }: Template): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(Parameters).map(([name, { Type, Default = '', AllowedValues = [] }]) => [
      name,
      AllowedValues.at(-1) ?? (Default !== '' ? Default : Type === 'Number' ? '60' : 'given'),
    ]),
  );
}

function problemsOf(template: Template, given: Readonly<Record<string, string>>): readonly string[] {
  const resolve = resolver(template, given);
  return Object.entries(template.Resources).flatMap(([name, resource]) => {
    const { properties } = resourceSchema(resource.Type);
    const unknown = Object.keys(resource).filter((key) => !RESOURCE_KEYS.includes(key));
    return [
      ...unknown.map((key) => `${name}: ${key} is no part of a resource`),
      ...structureProblems(name, properties, resolve(resource.Properties ?? {}) as Members),
    ];
  });
}

function structureProblems(place: string, properties: ResourceProperties, given: Members): readonly string[] {
  const missing = Object.entries(properties).filter(
    ([key, { required }]) => required === true && !(key in given),
  );
  return [
    ...missing.map(([key]) => `${place}.${key} is missing`),
    ...Object.entries(given).flatMap(([key, value]) => {
      const property = properties[key];
      if (property === undefined) return [`${place}.${key} is unknown`];
      // Several forms may be in force, of which the newest is the type.
      const forms = [property.type, ...(property.previousTypes ?? [])].map((type) =>
        problems(`${place}.${key}`, type, value),
      );
      return forms.some(({ length }) => length === 0) ? [] : (forms[0] ?? []);
    }),
  ];
}

function problems(place: string, type: PropertyType, value: Json): readonly string[] {
  const wrong = [`${place} is no ${type.type}: ${JSON.stringify(value)}`];
  const isMap = value !== null && typeof value === 'object' && !Array.isArray(value);
  switch (type.type) {
    case 'string':
      if (typeof value !== 'string') return wrong;
      return type.allowedValues?.includes(value) === false ? [`${place} may not be ${value}`] : [];
    case 'integer':
      return Number.isInteger(value) ? [] : wrong;
    case 'number':
      return typeof value === 'number' ? [] : wrong;
    case 'boolean':
      return typeof value === 'boolean' ? [] : wrong;
    case 'json':
      return isMap ? [] : wrong;
    case 'date-time':
      return typeof value === 'string' ? [] : wrong;
    case 'null':
      return value === null ? [] : wrong;
    case 'tag': {
      const tag = isMap ? (value as Members) : {};
      return typeof tag['Key'] === 'string' && typeof tag['Value'] === 'string' ? [] : wrong;
    }
    case 'ref':
      return isMap ? structureProblems(place, membersOf(type), value as Members) : wrong;
    case 'array':
      if (!Array.isArray(value)) return wrong;
      return (value as readonly Json[]).flatMap((each, index) =>
        problems(`${place}[${index}]`, type.element, each),
      );
    case 'map':
      if (!isMap) return wrong;
      return Object.entries(value as Members).flatMap(([key, each]) =>
        problems(`${place}.${key}`, type.element, each),
      );
    case 'union': {
      const forms = type.types.map((each) => problems(place, each, value));
      return forms.find(({ length }) => length === 0) ?? forms[0] ?? [];
    }
  }
}

describe.each(names)('%s', (name) => {
  const template = read(name);

  test.each([
    ['with nothing but what has no default', {}],
    ['with everything', everythingGiven(template)],
  ])('fits the schemas of AWS %s', (_how, given) => {
    expect(problemsOf(template, given)).toEqual([]);
  });

  test('takes attributes that the resources have', () => {
    const taken = valuesOf(template, 'Fn::GetAtt') as readonly (readonly [string, string])[];
    const missing = taken.filter(([resource, attribute]) => {
      const { attributes } = resourceSchema(template.Resources[resource]?.Type ?? '');
      return !(attribute in attributes);
    });
    expect(missing).toEqual([]);
  });
});

test('a template with mistakes of each kind is found out', () => {
  const Resources = {
    Router: {
      Type: 'AWS::EC2::Instance',
      Properties: {
        ImageID: 'ami-1',
        MetadataOptions: { HttpTokens: 'always', HttpPutResponseHopLimit: '2' },
        NetworkInterfaces: [{ NetworkInterfaceId: 'eni-1' }],
      },
    },
  };
  expect(problemsOf({ Description: '', Parameters: {}, Outputs: {}, Resources }, {})).toEqual([
    'Router.ImageID is unknown',
    'Router.MetadataOptions.HttpTokens may not be always',
    'Router.MetadataOptions.HttpPutResponseHopLimit is no integer: "2"',
    'Router.NetworkInterfaces[0].DeviceIndex is missing',
  ]);
});

describe('what an update replaces', () => {
  const resources = {
    Interface: { Type: 'AWS::EC2::NetworkInterface', Properties: { SubnetId: { Ref: 'Subnet' } } },
    Router: {
      Type: 'AWS::EC2::Instance',
      Properties: {
        KeyName: { 'Fn::If': ['HasKey', { Ref: 'Key' }, { Ref: 'AWS::NoValue' }] },
        InstanceType: { Ref: 'Size' },
        MetadataOptions: { HttpTokens: { Ref: 'Tokens' } },
        NetworkInterfaces: [{ DeviceIndex: '0', NetworkInterfaceId: { Ref: 'Interface' } }],
      },
    },
  };

  test.each([
    ['Subnet', [{ parameter: 'Subnet', always: ['Interface', 'Router'], perhaps: [] }]],
    ['Key', [{ parameter: 'Key', always: ['Router'], perhaps: [] }]],
    // Through the condition.
    ['Asked', [{ parameter: 'Asked', always: ['Router'], perhaps: [] }]],
    ['Size', [{ parameter: 'Size', always: [], perhaps: ['Router'] }]],
    ['Tokens', []],
  ])('%s', (parameter, expected) => {
    const Conditions = { HasKey: { 'Fn::Equals': [{ Ref: 'Asked' }, 'yes'] } };
    expect(replacedBy({ Parameters: { [parameter]: {} }, Conditions, Resources: resources })).toEqual(
      expected,
    );
  });

  test('nothing else replaces a router of a pair than what the page says in words', () => {
    const routers = ['pair-one-az.json', 'pair-two-az.json'].flatMap((name) => replacedBy(read(name)));
    const said =
      /^(ImageId|KeyName|.*SubnetId|(Primary|Floating)Address[AB]|InstanceType|Router[12]Configuration)$/;
    const unsaid = routers.filter(
      ({ parameter, always, perhaps }) =>
        [...always, ...perhaps].some((each) => /^Router[12]$/.test(each)) && !said.test(parameter),
    );
    expect(unsaid).toEqual([]);
  });
});
