/** Spoils a good answer the way a `malformed` fault asks for. */
import type { Ec2FaultOf } from './faults';
import { renderAnswer } from './queryProtocol';
import type { XmlElement } from './queryProtocol';

export function renderSpoilt(
  action: string,
  content: readonly XmlElement[],
  how: Ec2FaultOf<'malformed'>['how'],
): string {
  switch (how.as) {
    case 'withoutElements':
      return renderAnswer(
        action,
        mapElements(content, (element) => (how.elements.includes(element.name) ? [] : [element])),
      );
    case 'replacedText':
      return renderAnswer(
        action,
        mapElements(content, (element) => [
          element.name === how.element ? { ...element, content: how.text } : element,
        ]),
      );
    case 'truncated': {
      const whole = renderAnswer(action, content);
      return whole.slice(0, whole.length / 2);
    }
    case 'empty':
      return '';
  }
}

function mapElements(
  elements: readonly XmlElement[],
  change: (element: XmlElement) => readonly XmlElement[],
): readonly XmlElement[] {
  return elements.flatMap(change).map(({ name, content }) => ({
    name,
    content: typeof content === 'string' ? content : mapElements(content, change),
  }));
}
