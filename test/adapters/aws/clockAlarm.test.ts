import { ClockAlarm } from '../../../src/aws/clockAlarm';
import { recordingLogger } from '../../support/logRecords';

test('a clock that is about to cost the signatures is told of once, and so is its end', () => {
  const { log, records } = recordingLogger();
  let wallNow = 0;
  const alarm = new ClockAlarm({ log, now: () => 1_000, wallNow: () => wallNow });
  const observed = (offsetS: number) => {
    wallNow = 1_000_500 + offsetS * 1_000;
    alarm.observed({ dateMs: 1_000_000, sentAt: 1_000, receivedAt: 1_000 });
  };
  alarm.observed(null);
  observed(3);
  expect(records).toEqual([]);
  observed(-300);
  observed(-301);
  observed(-239);
  observed(0);
  expect(records.map(({ event, reason }) => [event, reason])).toEqual([
    ['clock-off', "this router's clock is 300 s behind that of EC2"],
    ['clock-right', "this router's clock is 239 s behind that of EC2"],
  ]);
  observed(240);
  expect(records.at(-1)?.event).toBe('clock-off');
});
