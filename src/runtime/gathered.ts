/**
 * One question for all who ask it at the same moment: what is asked within one turn of the event loop, and so
 * within one drain of the loop, is asked when that turn ends. Whoever asks later is never given an answer that
 * is older than the question.
 */
export function gathered<Question>(ask: (questions: readonly Question[]) => void): (one: Question) => void {
  const waiting: Question[] = [];
  return (question) => {
    waiting.push(question);
    if (waiting.length === 1) queueMicrotask(() => ask(waiting.splice(0)));
  };
}
