//! Names of people: plain text comes in; whether a given name stands beside a surname goes out. Must
//! never be the only safeguard: it knows common given names and typical surnames of the region, in one
//! plain form for Latin and Cyrillic, with the endings that a sentence gives them.

use super::leading;

/// Longest word that may be a name.
const WORD_MAX: usize = 24;

/// Common given names by first letter, in plain form. Words and places that stand alone in many texts
/// (Besa, Drina, Sava, Valbona) are left out.
const GIVEN: [(u8, &str); 23] = [
    (
        b'a',
        "adem admir adnan afrim agim agron ahmed ajla alban albana albert aleksa aleksandar aleksandra \
        alen ali alija alma almir altin amar amela amina amir ana andela andelka andjela andrej andrija anela \
        anes angel angela anita anja ante anton antonela arben arber ardian ardit arian arijana armend armin \
        arta artan asim astrit avni azem azra",
    ),
    (
        b'b',
        "bajram baki bardhyl bashkim bekim besim besnik bilal biljana blagoja blagoje blerim blerina \
        blerta boban bogdan bojan bojana boris borislav bosko branimir branislav branka branko bujar burim",
    ),
    (b'c', "cvetan cvetko clirim"),
    (
        b'd',
        "damir daniel danica danijel danijela danilo darko davor dejan denis dijana dimitar dimitrije \
        dino djordje djuro dorde dragan dragana dragica drago dragoljub dragoslav dritan driton dusan dusanka \
        dusko dzemal dzenan dzevad",
    ),
    (
        b'e',
        "edin edis edita edmond edon elena elira elma elmedin elvir elvira emin emina emir emira endrit \
        enes enis enver erion ermal ermin esad esma",
    ),
    (
        b'f',
        "fadil fahrudin faruk fatima fatjon fatmir faton fatos fehmi ferid fikret filip fitim flamur \
        florent fuad",
    ),
    (b'g', "genc gentian gezim gjergj gjon gjorgi gjorgji goce goran gorana gordan gordana"),
    (b'h', "hajdar hajrudin halil halit hamid hamza hasan hashim hasib husein husnija hysen hysni"),
    (
        b'i',
        "ibrahim igor ilija ilir ilirjana indira irena irfan isa isak ismail ismet ivan ivana ivica ivo \
        izet",
    ),
    (
        b'j',
        "jadranka jakov jakup jana jasmin jasmina jasna jelena jelica jeton jovan jovana jovanka jovica \
        juliana julijana jusuf",
    ),
    (
        b'k',
        "kadri katarina kemal kire kiril klaudia klodian kosta kreshnik kristijan kristina kujtim",
    ),
    (
        b'l',
        "lazar lejla liljana lindita ljiljana ljubica ljubisa ljubomir ljupco ljupka luan luka luljeta \
        lulzim",
    ),
    (
        b'm',
        "maja marica marija marijana marina marinko mario marko martin martina mateja mehmed mehmet \
        melisa merima mersiha mevludin mihail mihajlo milan milana mile milena milica milija milivoje miljana \
        milka milo milorad milos milovan milutin mira mirela mirjana mirko miroslav mirsad mirsada mirza mitar \
        mladen momcilo muamer muhamed muharem mujo munir murat mustafa",
    ),
    (
        b'n',
        "nada naim naser natasa nazim nebojsa nedeljko nedim nemanja nenad nermin nermina nevena nevzat \
        nexhmedin nihad nijaz nikola nikolina nina novak nusret",
    ),
    (b'o', "ognjen oliver olivera omer osman"),
    (b'p', "pavle pero petar petra petre petrit predrag"),
    (
        b'r',
        "rada rade radica radmila radomir radoslav radovan rajko ramadan ramiz ramush rasim ratko refik \
        remzi rexhep rifat robert ruzdi ruzica rustem",
    ),
    (
        b's',
        "sabina sadik safet salih samir samira sandra sanela sanja sasa saso sead sefket sejad selim \
        selma senad senada servet shaban shefqet shkelzen shpend shpetim sinan sinisa skender slavica slavisa \
        slavko slobodan slobodanka snezana sokol sonila sonja spase srdan srdjan sreten stanko stefan stevan \
        stevo stojan suada sulejman suzana svetlana svetozar",
    ),
    (b't', "tanja tatjana taulant teodora tihomir todor tome tomislav toni trajan trajce trajko"),
    (b'u', "ukshin uros"),
    (
        b'v',
        "valentina valmir valon vasil vasilije vasko vedran velibor velimir veljko vera verica vesna \
        viktor vladan vladimir vladislav vlado vojin vojislav vuk vukasin",
    ),
    (b'x', "xhavit xhemal xhevat xhevdet"),
    (
        b'z',
        "zaim zana zarko zdravko zef zekerija zeljka zeljko zijad zivko zivorad zlatan zlatko zoran \
        zorica zvonimir zvonko",
    ),
];

/// Common Albanian surnames that have no ending of their own.
const SURNAMES: &str = "basha berisha bytyqi dervishi gashi haxhiu hoti hoxha hyseni kelmendi kola krasniqi \
    leka limani marku morina osmani prifti rama rexhepi sadiku shala shehu syla thaci topalli zeka zeqiri";

/// Endings of surnames, in plain form. The later ones are those of other cases.
const STRONG: [&str; 14] = [
    "ic", "vich", "ikj", "ski", "ska", "cki", "cka", "ev", "ov", "aj", "vicu", "vicem", "icem",
    "skog",
];
/// Endings that many other words have: enough only beside a given name.
const WEAK: [&str; 4] = ["i", "u", "ova", "eva"];

/// Words with such an ending that are not surnames.
const NOT_SURNAMES: &str = "public republic traffic domestic plastic economic organic synthetic specific \
    statistic catholic islamic atlantic pacific baltic arctic adriatic balkanic basic music toxic narcotic \
    ethnic academic electronic cybernetic genetic forensic strategic drastic classic critic logistic psychotropic \
    antibiotic opiatic arithmetic topic epidemic pandemic politic democratic diplomatic \
    srpska srpski bosanska bosanski hercegovacka hercegovacki crnogorska crnogorski makedonska makedonski \
    hrvatska hrvatski jugoslovenska kosovska kosovski sremska sremski banatska banatski backa backi juzna \
    severnobacki zapadnobacki srednjobanatski raska raski federalni policijski novi stari mali veliki donji \
    gornji crni sveti sveta kralj kralja kiev";

/// Places that are written like a person.
const PLACES: [(&str, &str); 7] = [
    ("banja", "luka"),
    ("bajram", "curri"),
    ("goce", "delcev"),
    ("goce", "delchev"),
    ("ali", "demi"),
    ("ada", "bojana"),
    ("luka", "koper"),
];

/// A word and where it stands.
#[derive(Clone, Copy)]
struct Word<'a> {
    letters: &'a [u8],
    /// What stands between the word before and this one.
    gap: &'a [u8],
    rest: &'a [u8],
}

/// Capitalised words side by side, anywhere in a free text.
pub(super) fn anywhere(text: &[u8]) -> bool {
    let mut before: Option<Word<'_>> = None;
    for word in letters(text) {
        if before.is_some_and(|before| stand_together(before, word)) {
            return true;
        }
        before = Some(word);
    }
    false
}

/// An identifier of two or three words that are a given name and a surname, capitals or not.
pub(super) fn whole(text: &[u8]) -> bool {
    let words = || letters(text);
    let joint = |gap: &[u8]| matches!(gap, b" " | b"_" | b"." | b"-" | b"," | b", ");
    let names = words().skip(1).all(|word| joint(word.gap))
        && words().next().is_some_and(|word| word.gap.is_empty())
        && words().last().is_some_and(|word| word.rest.is_empty());
    let (Some(first), Some(last), 2 | 3) = (words().next(), words().last(), words().count()) else {
        return false;
    };
    let (first, last) = (Plain::of(first.letters), Plain::of(last.letters));
    names && !is_place(&first, &last) && (are_name(&first, &last) || are_name(&last, &first))
}

fn letters(text: &[u8]) -> impl Iterator<Item = Word<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (gap, from) = leading(rest, |byte| !byte.is_ascii_alphabetic());
        let (letters, after) = leading(from, |byte| byte.is_ascii_alphabetic());
        rest = after;
        (!letters.is_empty()).then_some(Word { letters, gap, rest })
    })
}

fn stand_together(one: Word<'_>, two: Word<'_>) -> bool {
    let capital = |word: &Word<'_>| word.letters.first().is_some_and(u8::is_ascii_uppercase);
    if !capital(&one) || !capital(&two) {
        return false;
    }
    let (first, second) = (Plain::of(one.letters), Plain::of(two.letters));
    let blank = !two.gap.is_empty() && two.gap.iter().all(u8::is_ascii_whitespace);
    match if blank { b" " } else { two.gap } {
        // A. Surname
        b"." | b". " => one.letters.len() == 1 && second.is_surname(),
        b" " if is_place(&first, &second) => false,
        // Given S.
        b" " if two.letters.len() == 1 => two.rest.starts_with(b".") && first.is_given(),
        b" " => are_name(&first, &second) || (first.is_surname() && second.is_given()),
        b", " => first.is_surname() && second.is_given(),
        _ => false,
    }
}

/// A given name and a surname. Where a sentence has bent the given name, the surname must be a sure one.
/// Asks for the surname first, which most words fail at their last letters.
fn are_name(given: &Plain, surname: &Plain) -> bool {
    let sure = surname.is_surname();
    ((sure || surname.may_be_surname()) && given.is_given())
        || ((sure || surname.is_bent_surname()) && given.is_bent_given())
}

fn is_place(one: &Plain, two: &Plain) -> bool {
    PLACES.iter().any(|place| place.0 == one.text() && place.1 == two.text())
}

/// A word in small letters; empty if it is too long to be a name.
struct Plain {
    letters: [u8; WORD_MAX],
    length: usize,
}

impl Plain {
    fn of(word: &[u8]) -> Self {
        let mut plain = Self { letters: [0; WORD_MAX], length: 0 };
        if let Some(place) = plain.letters.get_mut(..word.len()) {
            place.copy_from_slice(word);
            place.make_ascii_lowercase();
            plain.length = word.len();
        }
        plain
    }

    fn text(&self) -> &str {
        let letters = self.letters.get(..self.length).unwrap_or_default();
        std::str::from_utf8(letters).unwrap_or_default()
    }

    fn is_given(&self) -> bool {
        is_listed_given(self.text(), "")
    }

    /// A given name with the ending of another case: Marka, Marku, Markom; Anu, Anom; Agimi, Agimit.
    fn is_bent_given(&self) -> bool {
        ["a", "u", "e", "i", "om", "em", "it"].iter().any(|ending| {
            let stem = self.text().strip_suffix(ending).filter(|stem| stem.len() > 1);
            stem.is_some_and(|stem| ["", "o", "a"].iter().any(|end| is_listed_given(stem, end)))
        })
    }

    /// By its ending, or because it is listed.
    fn is_surname(&self) -> bool {
        let word = self.text();
        let ends = word.len() > 3 && STRONG.iter().any(|ending| word.ends_with(ending));
        (ends && !is_listed(NOT_SURNAMES, word)) || is_listed_surname(word)
    }

    /// The second case of -ić is written like many a place, Mitrovica, so it needs a bent given name.
    fn is_bent_surname(&self) -> bool {
        self.text().len() > 4 && self.text().ends_with("ica")
    }

    fn may_be_surname(&self) -> bool {
        let word = self.text();
        word.len() > 3
            && WEAK.iter().any(|ending| word.ends_with(ending))
            && !is_listed(NOT_SURNAMES, word)
    }
}

/// Those that are listed end in a vowel, which spares most words the search.
fn is_listed_surname(word: &str) -> bool {
    word.ends_with(['a', 'i', 'u']) && is_listed(SURNAMES, word)
}

fn is_listed(list: &str, word: &str) -> bool {
    list.split(' ').any(|listed| listed == word)
}

fn is_listed_given(stem: &str, end: &str) -> bool {
    let Some(initial) = stem.bytes().next() else {
        return false;
    };
    let names = GIVEN.iter().find(|(letter, _)| *letter == initial).map_or("", |(_, names)| names);
    names.split(' ').any(|name| name.strip_prefix(stem) == Some(end))
}

/// Every list is in the plain form that it is searched in.
#[cfg(test)]
pub(super) fn check_lists() {
    let small = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    for (letter, names) in GIVEN {
        assert!(
            names.split(' ').all(|name| small(name) && name.as_bytes()[0] == letter),
            "{names}"
        );
    }
    assert!(SURNAMES.split(' ').all(is_listed_surname));
    assert!([SURNAMES, NOT_SURNAMES].iter().all(|list| list.split(' ').all(small)));
}
