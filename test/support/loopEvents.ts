/** Hands any event to a loop: to everybody, or to the one group that it is for. */
import type { Event } from '../../src/core/state/model';
import type { Loop } from '../../src/runtime/loop';

export function enqueueTo(loop: Loop, group: string, event: Event): void {
  switch (event.type) {
    case 'started':
    case 'interfacesAnswered':
    case 'ownershipObserved':
    case 'observationFailed':
    case 'callQueued':
    case 'callReleased':
    case 'callAnswered':
    case 'holdersAnswered':
    case 'inhibitRequested':
    case 'releaseRequested':
    case 'switchoverRequested':
    case 'drillRequested':
    case 'scheduleRequested':
    case 'cancelRequested':
    case 'previewRequested':
      return loop.enqueueFor(group, event);
    case 'inputDrained':
    case 'processStalled':
    case 'observationOffered':
      throw new Error(`${event.type} is the loop's own`);
    case 'bfdSessionChanged':
    case 'streamsSynchronized':
    case 'levelsRead':
    case 'interfaceChanged':
    case 'streamsLost':
    case 'controlLost':
    case 'shutdownRequested':
    case 'answerTimeLearnt':
    case 'maintenanceLearnt':
      return loop.enqueue(event);
  }
}
