/** Reading what Neutron has answered. Nothing is taken on trust: what is not of its form makes the answer malformed as a whole. */
import { z } from 'zod';

/** Thrown by these functions, and caught by whoever reads an answer; never leaves openstack/. */
export class Malformed extends Error {}

const ID = z.string().regex(/^[\w-]{1,64}$/);
const ADDRESS = z.string().regex(/^[\da-f.:]{2,45}$/i);

const PORT = z.object({
  id: ID,
  network_id: ID,
  device_id: z.string().max(255),
  device_owner: z.string().max(255),
  fixed_ips: z.array(z.object({ ip_address: ADDRESS, subnet_id: ID })),
  revision_number: z.int(),
});

const FLOATING_IP = z.object({
  id: ID,
  floating_ip_address: ADDRESS,
  port_id: ID.nullable(),
  fixed_ip_address: ADDRESS.nullable(),
  revision_number: z.int(),
  /** An extension; what it shows is of the port that has it. */
  port_details: z.object({ device_id: z.string().max(255), device_owner: z.string().max(255) }).nullish(),
});

const ROUTER = z.object({
  id: ID,
  routes: z.array(z.object({ destination: z.string().max(50), nexthop: ADDRESS })),
  revision_number: z.int(),
});

export type Port = z.infer<typeof PORT>;
export type FloatingIp = z.infer<typeof FLOATING_IP>;
export type Router = z.infer<typeof ROUTER>;

const FORMS = { ports: PORT, floatingips: FLOATING_IP, routers: ROUTER } as const;

export type Collection = keyof typeof FORMS;
export type MemberOf<C extends Collection> = z.infer<(typeof FORMS)[C]>;

/** As the query of a list names them. */
export const fieldsOf = (collection: Collection): string =>
  Object.keys(FORMS[collection].shape)
    .map((name) => `fields=${name}`)
    .join('&');

/** Of the answer to a list. @throws Malformed */
export function membersOf<C extends Collection>(collection: C, body: unknown): readonly MemberOf<C>[] {
  const form = z.object({ [collection]: z.array(FORMS[collection]) });
  const { success, data, error } = form.safeParse(body);
  if (!success) throw new Malformed(`the answer has no valid ${placeOf(error)}`);
  if (hasNextPage(body, collection)) throw new Malformed(`the list of ${collection} has more than a page`);
  return Object.values(data)[0] as readonly MemberOf<C>[];
}

/** Of the answer about one: `{"port": ...}`. @throws Malformed */
export function oneOf<C extends Collection>(collection: C, body: unknown): MemberOf<C> {
  const { success, data, error } = z.object({ [singular(collection)]: FORMS[collection] }).safeParse(body);
  if (!success) throw new Malformed(`the answer has no valid ${placeOf(error)}`);
  return Object.values(data)[0] as MemberOf<C>;
}

export const singular = (collection: Collection): string => collection.slice(0, -1);

const placeOf = ({ issues: [first] }: z.ZodError): string => first?.path.join('.') ?? 'content';

/** What is asked for by name is few: a second page means that it is not what was asked for. */
function hasNextPage(body: unknown, collection: string): boolean {
  const links = z.object({ [`${collection}_links`]: z.array(z.object({ rel: z.string() })) }).safeParse(body);
  return (
    links.success &&
    Object.values(links.data)
      .flat()
      .some(({ rel }) => rel === 'next')
  );
}
