import { stemOf } from '../stems.js';

export const isFunctionWord = (word: string) => FUNCTION_WORDS.has(word);
export const isFunctionStem = (stem: string) => FUNCTION_STEMS.has(stem);
export const isLightStem = (stem: string) => LIGHT_STEMS.has(stem);
/** Whether a stem is one of everyday English, so that it is no misspelt word of the documents. */
export const isPlainStem = (stem: string) => LIGHT_STEMS.has(stem) || DETAIL_STEMS.has(stem);

/** 0 to 1: how much a word that is in no lexicon tells about what a question is about. */
export function salienceOf(word: string): number {
  const stem = stemOf(word);
  // Adverbs ("automatically") say how, not what.
  if (LIGHT_STEMS.has(stem) || /.{4}ly$/.test(word)) return LIGHT_SALIENCE;
  return DETAIL_STEMS.has(stem) || /\d/.test(word) ? DETAIL_SALIENCE : 1;
}

const LIGHT_SALIENCE = 0.1;
/** A number, a body part or a day describes the member's case rather than the topic. */
const DETAIL_SALIENCE = 0.35;

/** Words that frame a question and name no topic. */
const FUNCTION_WORDS = new Set(
  `a about above after again against all also am an and another any are aren't as at be because been being below between
  both but by can can't could couldn't did didn't do does doesn't doing don't down during each either else ever few for
  from further had has hasn't have haven't having he her here hers him his how how's however i i'd i'll i'm i've if i.e
  in into is isn't it it's its itself just let let's like many may maybe me might mine more most much must my myself no
  nor not now of off often on once one only or other our ours out over own per perhaps please quite rather really s same
  shall she should shouldn't since so some something still such t than that that's the their theirs them then there
  there's these they they're this those through to too under until up upon us very was wasn't we we'd we'll we're we've
  were what what's whats when where which while who who's whom whose why will with within without won't would wouldn't
  yes yet you you'd you'll you're you've your yours yourself hi hello thanks thank kindly tell know e.g im dont doesnt
  isnt ive`.split(/\s+/),
);
const FUNCTION_STEMS = new Set([...FUNCTION_WORDS].map(stemOf));

/** Everyday words that say little about the topic, or that stand in nearly every question about a plan. */
const LIGHT_STEMS = new Set(
  `able absolute accept accord achieve act action active actual add additional advance advice affect afford agree ahead
  aid allow almost alone along already although always amount announce answer anybody anymore anyone anything anyway
  anywhere apart appear apply appreciate approach approximate area arise around arrange arrive aside ask assume attempt
  attend automatic available average aware away awful awhile bad base basic basis bear beat become begin behind belief believe
  benefit beside best better beyond big bill bit bother bottom break brief bring broad buck build busy buy came capable care
  careful carry case catch cause certain chance change charge cheap check choice choose circumstance clear close collect
  combine come comfortable common company compare complete complex concern condition confirm confuse connect consequence consider
  consist constant contain correct cost count country couple course cover coverage create crazy current cut daily damn
  date day deal decide decision decrease deep definite degree deliver demand depend deserve desire despite detail determine
  develop difference different difficult direct directly discover discuss distance divide document dollar done double
  doubt draw drive drop due ease easily easy effect effort eligible else emerge enable encourage end enjoy enough ensure
  enter entire entitle equal especially essential even eventual everybody everyone everything everywhere exact example
  excellent except exchange exist expect expense expensive experience explain express extend extent extra extreme  
  fact fail fair fall familiar far fast favor feature fee feel felt few figure final find fine finish first fit fix flat
  follow force forget form former forward found free frequent fresh front full fully further future gain general get
  gets getting give given giving glad goal goes going gone gonna good got gotta gotten grand great ground group grow guarantee guess
  guide guy half handle hang happen happy hard hardly hate health healthcare hear heard heavy held help hey high
  hint hit hold home honest hope hour huge hurry idea identify ill image imagine immediate impact important impossible
  improve inch inclined include increase indeed indicate individual inform information initial input inside instance instead
  insurance insure insured insurer intend interest introduce involve issue item join just keep kept key kick kind knew
  large last late lately latest lay lead learn least leave left length less letter level lie light like likely line link list
  little live local locate long longer look lose loss lot love low lower luck made main maintain major make manage manner mark
  massive match matter mean meaning means meant meanwhile measure medical meet member mention mere merely met method middle might mind
  minor minute miss mistake mix moment money month morning mostly move multiple myself name near nearby nearly neat necessary need
  needed neither never new next nice night nobody none normal note nothing notice nowadays nowhere number object obtain
  obvious occasion occur odd offer often okay ok old onto open operate opinion opportunity option order ordinary original
  otherwise outcome overall owe own paid part partial particular past patient pay payment people percent percentage
  perfect perhaps period person personal pick picture piece place plain plan planning play plenty point policy poor popular
  portion position possible post potential practical practice prefer prepare present press pretty prevent previous price
  pricey primarily prior probable probably problem procedure proceed process produce product program progress proper
  prove provide provided public pull purpose push put quality quantity quick quiet quit quite rarely rate reach react read
  ready real realize reason reasonable receive recent recommend record reduce refer regard regardless regular relate
  relevant remain remember remind remove repeat replace report request require resolve respond response responsible rest
  result return reveal right role rough round routine row rule run sadly safe said sake same satisfy save saw say scare schedule section see
  seek seem seen select send sense separate serious serve service set settle several shall shape share short show side sign
  significant similar simple simply since single sir sit site situation size skip slight slow small solid solution solve
  somebody someday somehow someone something sometime sometimes somewhat somewhere soon sorry sort sound source speak special specific speed spend
  split spot stage stand standard start state status stay step stick stop story straight strange strict strong stuck stuff
  style subject succeed such sudden suffer suggest suit sum supply support suppose supposed sure surely surprise sweet
  switch system take taken talk task tell tend term terrible terribly test thank thing think third though thought thousand through throw
  thus tight till time tiny today together told tomorrow tonight took top total totally touch tough toward towards track trade treat treatment
  trip trouble true trust truth try turn twice two type typical ultimately unable uncommon understand unfortunately unit unless unlike unlikely
  until upcoming urge usable use used useful usual usually vary various version view visible wait walk want warn waste watch way wear week weekly
  weekend well went whatever whenever whereas wherever whether whichever whoever whole whomever wide willing win wise wish wonder word work world worry
  worse worst worth write wrong yesterday yourself`
    .split(/\s+/)
    .map(stemOf),
);

const DETAIL_STEMS = new Set(
  `ankle arm bone chest elbow finger foot hip jaw knee leg neck nose rib shoulder skin spine stomach throat thumb toe wrist
  ache bleed bruise burn cough cut fever fell flu headache hurt injure injury itch nausea pain rash sick sore sprain
  swollen twist uncomfortable unwell
  monday tuesday wednesday thursday friday saturday sunday weekend january february march april may june july august
  september october november december spring summer autumn winter christmas noon midnight evening morning
  aunt brother buddy cousin friend girlfriend boyfriend grandma grandpa granny nephew niece roommate sister twin uncle
  boss colleague coworker neighbor school college university student teen baby-sitter
  blow broke crash fall hit slip slipped tear tore torn trip`
    .split(/\s+/)
    .map(stemOf),
);
