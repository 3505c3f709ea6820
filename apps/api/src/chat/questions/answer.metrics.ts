import { counter } from '#libs/observability';
import { levelOf, type Turn } from './turn.js';

const answers = counter({
  name: 'navigator_answers_total',
  help: 'Answers as they were told, by the step of the ladder that served them and the service level',
  labelNames: ['served_by', 'level'],
});

export function countAnswer(turn: Turn): void {
  if (turn.answer)
    answers.inc({ served_by: turn.answer.servedBy, level: levelOf(turn.answer, turn.isSaved) });
}
