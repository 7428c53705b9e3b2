use std::collections::HashSet;
use std::sync::OnceLock;

/// Words that carry grammar and no topic, in lower case: articles, pronouns, prepositions,
/// conjunctions, auxiliary verbs, question words. The collections are this project's own and shorter
/// than Snowball's, which Lucene uses; a word that is also a common noun stays searchable.
pub(super) struct StopWords {
    words: &'static str,
    set: OnceLock<HashSet<&'static str>>,
}

impl StopWords {
    const fn new(words: &'static str) -> Self {
        Self { words, set: OnceLock::new() }
    }

    pub(super) fn has(&self, word: &str) -> bool {
        self.set.get_or_init(|| self.words.split_whitespace().collect()).contains(word)
    }
}

pub(super) static GERMAN: StopWords = StopWords::new(
    "aber als also am an auch auf aus bei beim bin bis bist da dabei dadurch dafür damit danach dann \
     daran darauf daraus darin das dass daß davon dazu dein deine deinem deinen deiner dem den denn \
     der deren des dessen dich die dies diese diesem diesen dieser dieses dir doch dort du durch ein \
     eine einem einen einer eines er es etwas euch euer eure für gegen hab habe haben hat hatte \
     hatten hattest hier hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer ihres im in ins ist \
     ja jede jedem jeden jeder jedes jene jenem jenen jener jenes kann kein keine keinem keinen \
     keiner können könnte man mein meine meinem meinen meiner mich mir mit muss musste nach nicht \
     nichts noch nun nur ob oder ohne sehr sein seine seinem seinen seiner seines seit sich sie sind \
     so solche sollte sondern sowie über um und uns unser unsere unter vom von vor war waren warum \
     was wegen weil welche welchem welchen welcher welches wem wen wenn wer werde werden wessen wie \
     wieder wir wird wirst wo wurde wurden während zu zum zur zwar zwischen",
);

pub(super) static FRENCH: StopWords = StopWords::new(
    "à ai as au aucun aucune aux avait avec avez avoir avons c ce ceci cela celle celles celui ces \
     cet cette ceux chez comme comment d dans de des donc dont du elle elles en es est et étaient \
     était être eu eux fut furent il ils j je l la là le les leur leurs lui m ma mais me même mes moi \
     mon n ne ni nos notre nous on ont ou où par pas pour pourquoi qu quand que quel quelle quelles \
     quels qui quoi s sa sans se sera serait ses si sont sous sur t ta te tes toi ton tu un une vos \
     votre vous y",
);

pub(super) static SPANISH: StopWords = StopWords::new(
    "a al algo algunos ante antes aquel aquella como cómo con contra cual cuál cuáles cuando cuándo \
     de del desde donde dónde durante e el él ella ellas ellos en entre era eran eres es esa esas ese \
     eso esos esta está están estas este esto estos fue fueron ha había han hasta hay he la las le \
     les lo los me mi mis muy más ni no nos nosotros nuestra nuestro o os otra otro para pero por \
     porque que qué quien quién quienes se sea ser será si sí sin sobre son soy su sus también te \
     tiene tienen tu tus tú u un una unas uno unos y ya yo",
);

pub(super) static PORTUGUESE: StopWords = StopWords::new(
    "a à ao aos aquela aquele as às até com como da das de dela delas dele deles do dos e é ela elas \
     ele eles em entre era eram essa essas esse esses esta está estas este estes eu foi foram há isso \
     isto já lhe lhes mais mas me mesmo meu meus minha minhas muito na não nas nem no nos nós nossa \
     nosso num numa o onde os ou para pela pelas pelo pelos por porque qual quais quando quanto que \
     quem se sem ser será seu seus só sua suas são também te tem têm teu tinha tua um uma umas uns \
     você vocês",
);

pub(super) static ITALIAN: StopWords = StopWords::new(
    "a ad agli ai al alla alle allo anche avere aveva c che chi ci coi col come con cosa cui d da \
     dagli dai dal dalla dalle dallo degli dei del della delle dello di dove e è ed era erano essere \
     fu furono gli ha hai hanno ho i il in io l la le lei li lo loro lui ma mi mia mie miei mio ne \
     negli nei nel nella nelle nello noi non nostra nostro o per perché più quale quali quando \
     quanto quella quelle quelli quello questa queste questi questo se sei si sia siamo sono su sua \
     sue sugli sui sul sulla sulle sullo suo suoi ti tra tu tua tuo un una uno vi voi",
);

pub(super) static DUTCH: StopWords = StopWords::new(
    "aan al alles als altijd andere ben bij daar dan dat de der deze die dit doch door dus een en er \
     ge geen had heb hebben heeft hem het hier hij hoe hun iemand iets ik in is ja je kan kon kunnen \
     maar me met mij mijn moet na naar niet niets nog nu of om omdat onder ons ook op over reeds te \
     tegen tot u uit uw van veel voor waar waarom was waren wat welke werd wezen wie wij wil worden \
     wordt zal ze zelf zich zij zijn zo zou zonder",
);

pub(super) static RUSSIAN: StopWords = StopWords::new(
    "а без бы был была были было быть в вам вас ведь во вот все всё вы где да даже для до его ее её \
     если есть еще ещё же за здесь и из или им их к как какая какие какой когда кого кто ли либо мне \
     может мы на над надо наш не него нее неё нет ни них но ну о об однако он она они оно от очень \
     по под почему при с сколько со так также такой там те тем то того тоже той только том ты у уже \
     хотя чего чей чем что чтобы чье чья эта эти это этого этой этом этот я",
);

/// As texts are after normalisation: bare alef, yeh, heh for teh marbuta.
pub(super) static ARABIC: StopWords = StopWords::new(
    "من في الي علي عن مع هذا هذه ذلك تلك هو هي هم هن انا نحن انت انتم كان كانت كانوا يكون تكون ان انه انها \
     لا لم لن ما ماذا متي اين كيف كم لماذا هل اي ايه او ثم و ف ب ل قد لقد كل بعض بين بعد قبل عند عندما حتي \
     اذا اذ لكن ولكن التي الذي الذين اللذان اللتان اللاتي به بها له لها فيه فيها منه منها عليه عليها اليه \
     اليها وهو وهي ومن وفي وعن كما مما حيث خلال غير ليس ليست منذ حول ضد الا هناك هنا هؤلاء",
);

pub(super) static SWEDISH: StopWords = StopWords::new(
    "alla allt att av blev bli blir då de dem den denna deras dess dessa det detta dig din dina ditt \
     du där efter ej eller en er era ett från för ha hade han hans har henne hennes hon honom hur här \
     i icke ingen inom inte jag ju kan kunde man med mellan men mig min mina mitt mot mycket ni nu \
     när någon något några och om oss på sedan sig sin sina sitt ska skulle som så sådan till under \
     upp ut utan vad var vara varför varit vars vem vi vid vilka vilken vilket är än åt över",
);

pub(super) static DANISH: StopWords = StopWords::new(
    "ad af alle alt at blev blive bliver da de dem den denne der deres det dette dig din dine disse \
     dog du efter eller en end er et for fra ham han hans har havde have hende hendes her hos hun \
     hvad hvem hvilke hvilken hvilket hvis hvor hvordan hvorfor hvornår i ikke ind ja jeg jer kan \
     kunne man mange med meget men mig min mine mit mod når nej noget nogle nu og også om op os over \
     på sig sin sine sit skal skulle som sådan til ud under var vi vil ville være været",
);

pub(super) static NORWEGIAN: StopWords = StopWords::new(
    "alle at av bare begge ble blei bli blir da de deg dei deira dem den denne der dere deres det \
     dette din disse ditt du eg ein eit eller en enn er et etter for fordi fra før ha hadde han hans \
     har henne hennes her hun hva hvem hver hvilke hvilken hvis hvor hvordan hvorfor i ikke ikkje \
     ingen inn ja jeg kan kom kun kunne man mange med meg mellom men mi min mitt mot mye når no noe \
     noen nå og også om opp oss over på seg si sin sine sitt skal skulle slik som så til um under ut \
     uten var vart ved vi vil ville vore vår være vært",
);

pub(super) static FINNISH: StopWords = StopWords::new(
    "ei eivät emme en et ette että hän häneen hänellä hänen hänet he heidän heillä heitä hänessä itse \
     ja jo joita joka joiden johon joissa jolla jolloin jonka jos jossa josta jota jotka kanssa keiden \
     ketkä ketä koska kuin kuinka kuka kun kenen me meidän meillä meitä mikä mihin miksi milloin minkä \
     minua minulla minun minä missä mistä mitä mitkä mukaan mutta myös ne niiden niille niin niissä \
     niistä niitä noin nuo nyt näiden nämä näissä näitä ole olen olet oli olimme olin olivat olla \
     ollut on ovat se sekä sen siellä siihen siinä sille sillä sinun sinä sitten \
     siitä sitä tai te teidän teitä tuo tuon tähän tämä tämän tässä tästä tätä vaan vai vaikka voi yli",
);

pub(super) static HUNGARIAN: StopWords = StopWords::new(
    "a ahhoz ahogy aki akik akkor alatt által ami amely amelyek amelyet amelynek amikor amit annak \
     arra arról át az azok azon azonban azt aztán be csak de e ebben egy egyik el ellen előtt én és \
     ez ezek ezen ezért ezt fel felé ha hanem hiszen hogy hogyan hol honnan hova igen illetve is \
     itt kell ki kik kívül között közül le lehet lenne lett meg melyik mely mert mi míg \
     miért mikor milyen mint mit mivel most nem nincs néha ő ők olyan ott össze pedig s saját sem \
     semmi szerint te tehát től ugyanis után úgy vagy vagyis valaki valami van vannak vele vissza \
     volt voltak volna",
);

pub(super) static ROMANIAN: StopWords = StopWords::new(
    "a acea aceasta această acei aceia acel acela acele acest acesta aceste acestea acești aceștia al \
     ale alt am ar are asta așa au avea ca că când care ce cel cele cei cine cu cum cât câte câți da \
     dacă dar de deci decât deja din după e ea ei el ele era erau este eu fi fie fost iar în îi îl își \
     la le li lor lui mai mea mei mele meu mi ne nici nimeni noi nostru nu o ori pe pentru prin sa să \
     sale sau se sub sunt spre tot toate toți tu un una unde unei unor unui unul va vă voi vor vom \
     și ți",
);

pub(super) static TURKISH: StopWords = StopWords::new(
    "ama ancak bana bazı ben beni benim bile bir biri biz bize bizi bizim bu buna bunda bundan bunlar \
     bunları bunların bunu bunun burada çok çünkü da daha de değil diye en gibi göre hangi hem her \
     hiç için ile ise kadar ki kim kime kimi kimin mı mi mu mü nasıl ne neden nerede nereye niçin \
     niye o olan olarak oldu olduğu olur ona ondan onlar onlara onları onların onu onun oysa sen \
     seni senin siz size sizi sizin şey şu şuna şunu tüm üzere var ve veya ya yani yok",
);

#[cfg(test)]
mod tests {
    use super::super::words::{lower_case, words};
    use super::*;

    #[test]
    fn every_word_is_one_that_a_text_can_give() {
        let lists = [
            &GERMAN,
            &FRENCH,
            &SPANISH,
            &PORTUGUESE,
            &ITALIAN,
            &DUTCH,
            &RUSSIAN,
            &ARABIC,
            &SWEDISH,
            &DANISH,
            &NORWEGIAN,
            &FINNISH,
            &HUNGARIAN,
            &ROMANIAN,
            &TURKISH,
        ];
        for list in lists {
            let mut seen = HashSet::new();
            for word in list.words.split_whitespace() {
                assert!(words(word).eq([word]) && lower_case(word) == word, "{word}");
                assert!(list.has(word) && seen.insert(word), "{word} stands twice");
            }
            assert!(seen.len() > 60 && !list.has(""));
        }
    }
}
