/**
 * The EC2 query protocol: form fields in, XML out.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html
 */
import type { Ec2Error } from './ec2Error';

export type QueryParams = ReadonlyMap<string, string>;

export interface Filter {
  readonly name: string;
  readonly values: readonly string[];
}

export const parseForm = (body: string): QueryParams => new Map(new URLSearchParams(body));

/** Undefined where it is missing, or neither. */
export function booleanIn(params: QueryParams, name: string): boolean | undefined {
  const text = params.get(name);
  return text === 'true' || text === 'false' ? text === 'true' : undefined;
}

/** `Name.1`, `Name.2`, ... in the order of their numbers. */
export function listParam(params: QueryParams, name: string): readonly string[] {
  return [...params]
    .flatMap(([key, value]) => {
      const index = key.startsWith(`${name}.`) ? Number(key.slice(name.length + 1)) : NaN;
      return Number.isInteger(index) ? [{ index, value }] : [];
    })
    .sort((a, b) => a.index - b.index)
    .map(({ value }) => value);
}

export function filterParams(params: QueryParams): readonly Filter[] {
  return [...params].flatMap(([key, name]) => {
    const match = /^Filter\.(\d+)\.Name$/.exec(key);
    return match === null ? [] : [{ name, values: listParam(params, `Filter.${match[1]}.Value`) }];
  });
}

export type XmlContent = string | readonly XmlElement[];
export interface XmlElement {
  readonly name: string;
  readonly content: XmlContent;
}

export function element(
  name: string,
  content: string | number | boolean | readonly XmlElement[],
): XmlElement {
  return { name, content: typeof content === 'object' ? content : String(content) };
}

/** A list as EC2 writes it: `<name><item>...</item>...</name>`. */
export function itemSet(name: string, items: readonly (readonly XmlElement[])[]): XmlElement {
  return element(
    name,
    items.map((content) => element('item', content)),
  );
}

const XML_HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NAMESPACE = 'http://ec2.amazonaws.com/doc/2016-11-15/';

export function renderAnswer(action: string, content: readonly XmlElement[]): string {
  const inner = content.map(render).join('');
  return `${XML_HEADER}<${action}Response xmlns="${NAMESPACE}">${inner}</${action}Response>`;
}

export function renderError(error: Ec2Error, requestId: string): string {
  const response = element('Response', [
    element('Errors', [element('Error', [element('Code', error.code), element('Message', error.message)])]),
    element('RequestID', requestId),
  ]);
  return `${XML_HEADER}${render(response)}`;
}

export function render({ name, content }: XmlElement): string {
  const inner = typeof content === 'string' ? escapeXml(content) : content.map(render).join('');
  return `<${name}>${inner}</${name}>`;
}

function escapeXml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
