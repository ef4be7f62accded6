/** The changes that take their time: begun as the API is asked for them, ended at the pace of the world. */
import { beginAttach, beginDetach, settleAttachment } from './attachments';
import type { AttachInterfaceRequest } from './attachments';
import type { Outcome } from './ec2Error';
import type { ChangeOrigin } from './history';
import {
  attachmentsOf,
  beginTermination,
  bootsOf,
  finishBoot,
  finishTermination,
  launchInstance,
  rebootInstance,
  startRunning,
} from './instanceLife';
import type { LaunchRequest } from './instanceLife';
import { findInstance } from './model';
import type { Ec2Model } from './model';
import { attachVolume, detachVolume, settleVolume } from './volumes';
import type { AttachVolumeRequest } from './volumes';
import type { Ec2World } from './world';

type Done = Outcome<Ec2Model>;

const byItself: ChangeOrigin = { by: 'operator' };

export class SlowChanges {
  readonly #world: Ec2World;

  constructor(world: Ec2World) {
    this.#world = world;
  }

  attachInterface(request: Omit<AttachInterfaceRequest, 'attachedAt'>, origin: ChangeOrigin): Done {
    const { pace } = this.#world;
    const done = this.#world.commit(
      beginAttach(this.#world.model, { ...request, attachedAt: this.#now() }),
      origin,
    );
    if (done.ok)
      this.#settleAttachment(pace.attachInterfaceMs, request.attachmentId, request.networkInterfaceId);
    return done;
  }

  detachInterface(attachmentId: string, origin: ChangeOrigin): Done {
    const before = this.#world.model;
    const done = this.#world.commit(beginDetach(before, attachmentId), origin);
    if (done.ok) this.#endDetachment(before, attachmentId);
    return done;
  }

  attachVolume(request: Omit<AttachVolumeRequest, 'attachedAt'>, origin: ChangeOrigin): Done {
    const done = this.#world.commit(
      attachVolume(this.#world.model, { ...request, attachedAt: this.#now() }),
      origin,
    );
    if (done.ok) this.#settleVolume(this.#world.pace.attachVolumeMs, request.volumeId);
    return done;
  }

  detachVolume(request: Parameters<typeof detachVolume>[1], origin: ChangeOrigin): Done {
    const done = this.#world.commit(detachVolume(this.#world.model, request), origin);
    if (done.ok) this.#settleVolume(this.#world.pace.detachVolumeMs, request.volumeId);
    return done;
  }

  launch(request: Omit<LaunchRequest, 'launchedAt'>, origin: ChangeOrigin = byItself): Done {
    const { instanceId } = request;
    const done = this.#world.commit(
      launchInstance(this.#world.model, { ...request, launchedAt: this.#now() }),
      origin,
    );
    if (!done.ok) return done;
    this.#after(
      this.#world.pace.launchMs,
      `${instanceId} launch`,
      (model) => startRunning(model, instanceId),
      () => this.#boot(instanceId),
    );
    return done;
  }

  /** Also of an instance that is stuck: its guest is powered off, whatever it does. */
  terminate(instanceId: string, origin: ChangeOrigin = byItself): Done {
    const state = findInstance(this.#world.model, instanceId)?.state;
    const done = this.#world.commit(beginTermination(this.#world.model, instanceId), origin);
    if (!done.ok || state === 'shutting-down' || state === 'terminated') return done;
    const { shutdownMs } = this.#world.pace;
    const kept = attachmentsOf(this.#world.model, instanceId);
    this.#after(
      shutdownMs,
      `${instanceId} shutdown`,
      (model) => finishTermination(model, instanceId),
      () => {
        for (const id of kept) this.#endDetachment(this.#world.model, id);
      },
    );
    return done;
  }

  reboot(instanceId: string, origin: ChangeOrigin = byItself): Done {
    const done = this.#world.commit(rebootInstance(this.#world.model, instanceId), origin);
    if (done.ok) this.#boot(instanceId);
    return done;
  }

  /** In milliseconds, where EC2 has seconds: a lab runs in scaled time. */
  #now(): string {
    return new Date(this.#world.clock.dateMs()).toISOString();
  }

  #boot(instanceId: string): void {
    const instance = findInstance(this.#world.model, instanceId);
    if (instance === undefined) return;
    const boots = bootsOf(instance);
    this.#after(this.#world.pace.bootMs, instanceId, (model) => finishBoot(model, instanceId, boots));
  }

  #endDetachment(model: Ec2Model, attachmentId: string): void {
    const eni = model.networkInterfaces.find(({ attachment }) => attachment?.attachmentId === attachmentId);
    if (eni !== undefined)
      this.#settleAttachment(this.#world.pace.detachInterfaceMs, attachmentId, eni.networkInterfaceId);
  }

  #settleAttachment(ms: number, attachmentId: string, networkInterfaceId: string): void {
    this.#after(ms, networkInterfaceId, (model) => settleAttachment(model, attachmentId));
  }

  #settleVolume(ms: number, volumeId: string): void {
    this.#after(ms, volumeId, (model) => settleVolume(model, volumeId));
  }

  #after(
    ms: number,
    subject: string,
    end: (model: Ec2Model) => Done,
    then: () => void = () => undefined,
  ): void {
    this.#world.endings.after(ms, subject, () => {
      this.#world.commit(end(this.#world.model), byItself);
      then();
    });
  }
}
