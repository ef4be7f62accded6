/**
 * `show ha_alarms`: the alarms that stand, in the store, with their times in UTC. Written when they change and with
 * each keepalive, because its time is a sign of life: `show` compares it with the keepalive.
 */
import type { Settings } from '../config/settings';
import type { JsonObject } from '../core/state/json';
import type { AlarmRegistry, StandingAlarm } from './alarms';
import type { Recorded } from './loop';

export type AlarmsViewOptions = {
  readonly alarms: AlarmRegistry;
  readonly settings: Pick<Settings, 'groups' | 'log'>;
  readonly put: (value: JsonObject) => void;
};

export class AlarmsView {
  readonly #options: AlarmsViewOptions;

  constructor(options: AlarmsViewOptions) {
    this.#options = options;
    options.alarms.onChange(() => this.#show());
  }

  update(batch: readonly Recorded[]): void {
    this.#options.alarms.update(batch);
    const isAlive = batch.some(
      ({ event }) => event.type === 'ownershipObserved' || event.type === 'observationFailed',
    );
    if (isAlive) this.#show();
  }

  #show(): void {
    const { alarms, settings, put } = this.#options;
    const keepalivesMs = settings.groups.map(({ plan }) => plan.timing.keepaliveIntervalMs);
    put({
      router: settings.log.router,
      as_of: isoTime(Date.now()),
      keepalive_s: Math.max(...keepalivesMs) / 1000,
      alarms: alarms.standing().map(inWords),
    });
  }
}

function inWords({ code, severity, group, about, since, text }: StandingAlarm): JsonObject {
  return {
    code,
    severity,
    ...(group === null ? {} : { group }),
    about,
    since: isoTime(since),
    text,
  };
}

const isoTime = (wallMs: number): string => new Date(wallMs).toISOString();
