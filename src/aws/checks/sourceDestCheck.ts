/**
 * EC2's source/destination check drops what an interface is to forward, so it has to be off on every interface that
 * holds routes or floating addresses. It is read with each observation, named when it is found on, and switched off
 * where the configuration says so. An Elastic IP alone is the router's own address: it needs nothing.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyNetworkInterfaceAttribute.html
 */
import { performance } from 'node:perf_hooks';
import { ModifyNetworkInterfaceAttributeCommand } from '@aws-sdk/client-ec2';
import type { Logger } from 'pino';
import type { Ec2Settings } from '../../config/settings';
import type { Observation } from '../../core/state/readings';
import type { AwsPlan } from '../description';
import { Deadline } from '../../deadline';
import { awsKindOf } from '../kinds';
import type { Ec2 } from '../transport/ec2';

/** Of this router; where it has to be off. */
export function forwardingInterfaces(
  { targets }: AwsPlan,
  { interfaces }: Pick<Observation, 'interfaces'>,
): readonly string[] {
  return interfaces
    .filter((own) =>
      targets.some(
        (target) =>
          awsKindOf(target).forwards &&
          target.deviceIndex === own.deviceIndex &&
          target.networkCardIndex === own.networkCardIndex,
      ),
    )
    .map(({ networkInterfaceId }) => networkInterfaceId);
}

const DEADLINE_MS_MAX = 8_000;

export class SourceDestCheck {
  readonly #plan: AwsPlan;
  readonly #settings: Ec2Settings;
  readonly #log: Logger;
  /** Interfaces that have been named, until the check is off. */
  #told = new Set<string>();
  #switching = false;
  readonly #deadline: Deadline;

  constructor(plan: AwsPlan, settings: Ec2Settings, log: Logger) {
    this.#plan = plan;
    this.#settings = settings;
    this.#log = log;
    this.#deadline = new Deadline({ firstMs: settings.apiTimeoutMs, lastMs: DEADLINE_MS_MAX });
  }

  /** `checked`: interfaces of this router where it is on. */
  observed(ec2: Ec2, observation: Observation, checked: readonly string[]): void {
    const forwarding = forwardingInterfaces(this.#plan, observation);
    const wrong = forwarding.filter((id) => checked.includes(id));
    for (const id of this.#told) if (!wrong.includes(id)) this.#tellOff(id);
    for (const id of wrong) if (!this.#told.has(id)) this.#tellOn(id);
    this.#told = new Set(wrong);
    if (this.#settings.sourceDestCheck === 'disable' && wrong.length > 0) void this.#switchOff(ec2, wrong);
  }

  /** Interfaces on which it is on and should not be, as last read. */
  get wrong(): readonly string[] {
    return [...this.#told];
  }

  #tellOn(id: string): void {
    const mend =
      this.#settings.sourceDestCheck === 'disable'
        ? 'it is switched off now'
        : 'switch it off, or set source_dest_check to "disable"';
    const reason = `the source/destination check of ${id} is on, so EC2 drops what this router forwards there: ${mend}`;
    this.#log.error(
      { event: 'source-dest-check-on', networkInterfaceId: id, reason },
      'An interface cannot forward',
    );
  }

  #tellOff(id: string): void {
    const reason = `the source/destination check of ${id} is off`;
    this.#log.info(
      { event: 'source-dest-check-off', networkInterfaceId: id, reason },
      'An interface can forward',
    );
  }

  /** The next observation shows whether it is off; where it is not, this is done again. */
  async #switchOff(ec2: Ec2, ids: readonly string[]): Promise<void> {
    if (this.#switching) return;
    this.#switching = true;
    for (const NetworkInterfaceId of ids) {
      const input = { NetworkInterfaceId, SourceDestCheck: { Value: false } };
      const result = await this.#deadline.of(performance.now.bind(performance), (timeoutMs) =>
        ec2.call('ModifyNetworkInterfaceAttribute', timeoutMs, (client, options) =>
          client.send(new ModifyNetworkInterfaceAttributeCommand(input), options),
        ),
      );
      if (result.ok) continue;
      const { code, message } = result.failure;
      const reason = `EC2 does not switch the source/destination check of ${NetworkInterfaceId} off (${code}: ${message}): trying again with the next keepalive`;
      this.#log.error(
        { event: 'source-dest-check-stays-on', networkInterfaceId: NetworkInterfaceId, reason },
        'An interface cannot forward',
      );
    }
    this.#switching = false;
  }
}
