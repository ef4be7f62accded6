/** The parameters of an EC2 action, by the names of the API, as they are on the wire: numbered lists, all of it text. */

/** Lists whose members have a name of their own. */
const MEMBERS: { readonly [name: string]: string } = { PrivateIpAddresses: 'PrivateIpAddress' };

export function wireParams(input: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(input).flatMap(([name, value]: [string, unknown]) =>
      Array.isArray(value)
        ? value.map((member, place) => [`${MEMBERS[name] ?? name}.${place + 1}`, String(member)])
        : [[name, String(value)]],
    ),
  );
}

/** Of a logged request, without what every request has. */
export function ownParams(params: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(params).filter(([name]) => name !== 'Action' && name !== 'Version'),
  );
}
