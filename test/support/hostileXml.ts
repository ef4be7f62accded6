/** XML as a tree that can be changed by plan, and what may be done to its text besides. */
import fc from './properties';
import { hostileValue } from './hostile';

export type Xml = { readonly name: string; readonly content: string | readonly Xml[] };

/** The name of what is no element in the tree: text that stands beside elements. */
export const TEXT = '#text';

export type XmlChange = {
  readonly how:
    | 'drop'
    | 'repeat'
    | 'retext'
    | 'rename'
    | 'swap'
    | 'move'
    | 'nest'
    | 'empty'
    | 'cdata'
    | 'comment'
    | 'entity'
    | 'attribute';
  readonly at: number;
  readonly other: number;
  readonly value: number;
};

const pick = fc.nat({ max: 1_000_000 });

export const xmlChange: fc.Arbitrary<XmlChange> = fc.record({
  how: fc.constantFrom(
    'drop',
    'repeat',
    'retext',
    'rename',
    'swap',
    'move',
    'nest',
    'empty',
    'cdata',
    'comment',
    'entity',
    'attribute',
  ),
  at: pick,
  other: pick,
  value: pick,
});

export const xmlChanges = fc.array(xmlChange, { maxLength: 4 });

/** A tree in which everything can be changed; `raw` is written as it is. */
type Node = {
  name: string;
  attributes: string;
  text: string;
  isQuoted: boolean;
  raw: string;
  children: Node[];
};

const loose = ({ name, content }: Xml): Node => ({
  name,
  attributes: '',
  text: typeof content === 'string' ? content : '',
  isQuoted: false,
  raw: '',
  children: typeof content === 'string' ? [] : content.map(loose),
});

function inOrder(node: Node, parent: Node | null = null): { node: Node; parent: Node | null }[] {
  return [{ node, parent }, ...node.children.flatMap((child) => inOrder(child, node))];
}

export type ChangedXml = {
  readonly text: string;
  /** The tree as it is now, for a reader of its own. */
  readonly tree: Xml;
};

/** Comments, entities and attributes leave the tree as it was: they say nothing. */
export function changeXml(document: Xml, changes: readonly XmlChange[]): ChangedXml {
  const root = loose(document);
  for (const change of changes) changeOnce(root, change);
  return { text: `<?xml version="1.0" encoding="UTF-8"?>\n${render(root)}`, tree: strict(root) };
}

function changeOnce(root: Node, { how, at, other, value }: XmlChange): void {
  const all = inOrder(root);
  const place = all[at % all.length];
  const second = all[other % all.length];
  if (place === undefined || second === undefined) return;
  const { node, parent } = place;
  const siblings = parent?.children ?? [];
  switch (how) {
    case 'drop':
      return void siblings.splice(siblings.indexOf(node), parent === null ? 0 : 1);
    case 'repeat':
      return void siblings.splice(siblings.indexOf(node), 0, structuredClone(node));
    case 'retext': {
      // Half of the texts come from elsewhere in the document: well-formed, and wrong here.
      const texts = all.map(({ node: { text } }) => text).filter((text) => text !== '');
      const hostile = hostileValue(value);
      node.text =
        value % 2 === 0
          ? (texts[other % Math.max(1, texts.length)] ?? '')
          : typeof hostile === 'string'
            ? hostile
            : JSON.stringify(hostile);
      return;
    }
    case 'rename':
      node.name = value % 3 === 0 ? '__proto__' : value % 3 === 1 ? second.node.name : 'constructor';
      return;
    case 'swap': {
      const { name, text, children } = structuredClone(node);
      if (inOrder(node).some((each) => each.node === second.node)) return;
      if (inOrder(second.node).some((each) => each.node === node)) return;
      Object.assign(node, structuredClone(second.node));
      return void Object.assign(second.node, { name, text, children });
    }
    case 'move':
      if (parent === null || inOrder(node).some((each) => each.node === second.node)) return;
      siblings.splice(siblings.indexOf(node), 1);
      return void second.node.children.push(node);
    case 'nest': {
      const inner = structuredClone(node);
      return void Object.assign(node, { text: '', children: [inner] });
    }
    case 'empty':
      return void Object.assign(node, { text: '', children: [] });
    case 'cdata':
      node.isQuoted = true;
      if (value % 2 === 0) node.text += '<a>&lol;</a>';
      return;
    case 'comment':
      node.raw += `<!-- <${second.node.name}>${second.node.text}</${second.node.name}> -->`;
      return;
    case 'entity':
      node.raw += value % 2 === 0 ? '&lol;' : '&lol9;&lol9;&lol9;';
      return;
    case 'attribute':
      node.attributes += value % 2 === 0 ? ' xmlns="b"' : " __proto__='c'";
      return;
  }
}

function render({ name, attributes, text, isQuoted, raw, children }: Node): string {
  const written = isQuoted ? `<![CDATA[${text.replaceAll(']]>', ']]]]><![CDATA[>')}]]>` : escaped(text);
  return `<${name}${attributes}>${written}${raw}${children.map(render).join('')}</${name}>`;
}

const escaped = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

function strict({ name, text, children }: Node): Xml {
  if (children.length === 0) return { name, content: text };
  return {
    name,
    content: [...(text === '' ? [] : [{ name: TEXT, content: text }]), ...children.map(strict)],
  };
}
