"""What stands around names in English: forms, titles, introductions, relations, descriptions, signatures."""

from __future__ import annotations

import re

from tilth.filters.pii_english_names import CAPITALS, NAME, SURNAME_FIRST, Strength

Contexts = tuple[tuple[Strength, re.Pattern[str]], ...]

_WHO = (
    r"(?:patient|pt\.?|client|resident|full|first|last|middle|given|family|maiden|legal|preferred|contact"
    r"|child|mother|father|spouse|husband|wife|guardian|parent|caregiver"
    r"|carer|provider|physician|doctor|nurse|surgeon|employee|customer|student|applicant|subscriber"
    r"|policy ?holder|insured|account holder|your|my|his|her|emergency contact|sender|recipient|member"
    r"|beneficiary|donor|baby)"
)
_LABEL = (
    rf"(?:{_WHO}(?:'?s|’s)?(?:'s)? ?(?:full |legal )?name|name of (?:the )?(?:patient|client|child|parent"
    rf"|guardian|applicant)|surname|forename|emergency contact|next of kin|N\.?O\.?K"
    r"|guarantor|guardian|legal guardian|spouse|subscriber|policy ?holder|attending(?: physician)?"
    r"|attending md|referring (?:physician|doctor|provider|md)|ordering (?:physician|provider)"
    r"|primary care (?:physician|provider|doctor)|PCP|provider|surgeon|anesthesiologist|anaesthetist"
    r"|cardiologist|dictated by|transcribed by|signed by|electronically signed by|e-signed by|reported by"
    r"|reviewed by"
    r"|verified by|witnessed by|prepared by|completed by|interpreted by|cosigned by|seen by|accompanied by"
    r"|responsible party|contact person|case manager|social worker"
    r"|caregiver|carer|attn|attention|bill to|ship to|deliver to|resident|intern|consultant|midwife"
    r"|therapist|psychiatrist|employer contact|interpreter|translator|scribe|pharmacist|dietitian"
    r"|nutritionist|technician|technologist|operator|notary|chaplain|coach|health ?care proxy|proxy"
    r"|power of attorney|POA|signed|signature|mother|father|husband|wife|partner|sister|brother|daughter"
    r"|son|caller|insured|applicant|witness)"
)
_TITLE = r"(?:Mr|Mrs|Ms|Mx|Miss|Messrs|Sra?|Mme|Dr|Doctor|Prof|Nurse|Sister|Rev|Sgt|Officer)"
KIN = (
    r"(?:son|daughter|husband|wife|mother|father|mom|mum|dad|brother|sister|partner|fianc[eé]e?|boyfriend"
    r"|girlfriend|grandson|granddaughter|grandmother|grandfather|grandma|grandpa"
    r"|uncle|aunt|niece|nephew|cousin|friend|neighbou?r|baby|child|kid|twin|caregiver|roommate|colleague|guardian)"
)
_CREDENTIAL = r"(?:,? (?:M\.?D|D\.?O|R\.?N|N\.?P|PA(?:-C)?|Ph\.?D|LPN|LCSW|MBBS|FRCS|FACS|DPM|DDS|PharmD)\b\.?)?"


_END = r"(?=\s*(?:$|[\n,;|(<]|  |\s[A-Z]))"
_FIELDS = r"(?=[\s\S]{0,60}?\b(?i:age|sex|gender|dob|birth|phone|address|mrn|male|female)\b)"
_FORMS: Contexts = (("strong", re.compile(SURNAME_FIRST)), ("strong", re.compile(CAPITALS)), ("two", re.compile(NAME)))
LABELS: tuple[tuple[re.Pattern[str], Contexts], ...] = (
    (
        re.compile(rf"(?<![A-Za-z])(?i:{_LABEL})(?:\([s]\))?[ \t]*(?:[:=|]|\bis\b|(?<= )-(?= )|,(?= ))[ \t]*(?:{_TITLE}\.? )?"),
        _FORMS,
    ),
    (
        re.compile(
            rf"(?<![A-Za-z])(?i:{_WHO}(?:'s|’s)? (?:full |legal )?name|name of patient|signed by|dictated by"
            rf"|emergency contact|next of kin)"
            rf"[ \t]*(?:[:=|]|\bis\b|(?<=by)|\bwas\b)[ \t]*(?:{_TITLE}\.? )?"
        ),
        (("strong", re.compile(NAME)),),
    ),
    (
        re.compile(rf"(?:^|[\n,;|.\t])[ \t]*(?i:name)[ \t]*[:=][ \t]*(?:{_TITLE}\.? )?"),
        (
            ("given", re.compile(NAME + _END)),
            ("given", re.compile(SURNAME_FIRST)),
            ("two", re.compile(SURNAME_FIRST + _FIELDS)),
            ("two", re.compile(NAME + _FIELDS)),
        ),
    ),
    (
        re.compile(
            rf"(?<![A-Za-z])(?i:(?:witness|transcrib|report|review|verifi|prepar|complet|interpret|cosign|sign"
            rf"|dictat)ed by) (?:{_TITLE}\.? )?"
        ),
        (("given", re.compile(NAME)),),
    ),
    (
        re.compile(rf"(?<![A-Za-z])(?i:patient|pt|re|client|subject|from|to|cc)[ \t]*:[ \t]*(?:{_TITLE}\.? )?"),
        (
            ("given", re.compile(SURNAME_FIRST)),
            ("two", re.compile(r"(?P<name>[A-Z][A-Z'’\-]+, ?[A-Z][A-Z'’\-]+(?: [A-Z]\.?)?)(?![A-Za-z])")),
            ("two", re.compile(CAPITALS + r"(?=\s*(?:$|[\n,;|(]|\s))")),
            ("two", re.compile(rf"{NAME}(?:{_END}|(?={_CREDENTIAL}\s))")),
        ),
    ),
)
"""A label, and what may stand right after it."""
TITLES: Contexts = (
    ("strong", re.compile(rf"(?<![A-Za-z.])(?:Mr|Mrs|Ms|Mx|Mme|Messrs)\.?[ \u00a0]{NAME}")),
    ("given", re.compile(rf"(?<![A-Za-z.])(?:Miss|Nurse|Officer|Sister)[ ]{NAME}")),
    ("strong", re.compile(rf"(?i:\bdear)[ ](?:{_TITLE}\.? ){NAME}")),
)
INTRODUCTIONS: Contexts = (
    (
        "strong",
        re.compile(
            rf"(?i:(?:my|his|her|our|your|their|whose|full|first|last|real|child[’']s|baby[’']s|patient[’']s) name(?:'s| is)|i am called|goes by(?: the name)?|a (?:wo)?man (?:named|called)|(?:boy"
            rf"|girl|male|female|patient|son|daughter|child|baby|guy|lady|friend|doctor|nurse|person|wo?man"
            rf"|man) (?:named|called))[ ](?:{_TITLE}\.? )?{NAME}"
        ),
    ),
    (
        "given",
        re.compile(
            rf"(?i:\bi[’']?m|\bi am|\bthis is|\bit[’']s|\bcall me|\bsigned,?|\bhere is|thanks,?|thank you,?|\bhi"
            rf"|\bhello|\bhey|\bdear|good (?:morning|afternoon|evening),?)[ ,]{NAME}(?![’'][a-z])"
        ),
    ),
)
ROLES: Contexts = (
    (
        "strong",
        re.compile(
            rf"(?i:\b(?:my|his|her|their|our|the patient[’']s|patient[’']s"
            rf"|your)(?: [a-z\-]+)? {KIN}(?:-in-law)?)[ ]{NAME}"
        ),
    ),
    (
        "strong",
        re.compile(
            rf"(?i:\b(?:my|his|her|their|our|the patient[’']s|patient[’']s"
            rf"|your)(?: [a-z\-]+)? {KIN}(?:-in-law)?),[ ]{NAME}(?=[,.;\n]| [(]|$)"
        ),
    ),
    ("two", re.compile(rf"(?:^|[.\n;][ ]*)(?i:{KIN}(?:-in-law)?)[ ]{NAME}")),
    ("given", re.compile(rf"(?i:\b(?:a|the|elder|younger|older)(?: [a-z\-]+)? {KIN}(?:-in-law)?),?[ ]{NAME}")),
    (
        "given",
        re.compile(
            rf"(?<![A-Za-z])(?i:patient|pt\.?|client|caller|resident|spoke (?:with|to)|contact|on behalf of"
            rf"|accompanied by|deliver to|ship (?:\w+ ){{0,4}}to|bill to|seen by|consult(?:ed)? with|addressed to"
            rf"|signed by|nurse|manager|coordinator|worker,?|attention|attn)[ ]{NAME}"
        ),
    ),
)
DESCRIPTIONS: Contexts = (
    (
        "two",
        re.compile(
            rf"{NAME}(?=,? (?:is|was) an? [0-9]{{1,3}}[ \-](?:year|month|week|day|y/?o\b)"
            rf"|,? an? [0-9]{{1,3}}[ \-](?:year|month|week|yo\b|y/o)| ?\((?:DOB|D\.O\.B|MRN|date of birth)"
            rf"|,? (?:DOB|date of birth)|, [0-9]{{1,3}} ?(?:y/?o|years?[ \-]old|yrs?)\b| has been under my care"
            rf"|, [0-9]{{1,3}}, (?:presented|presents|was|is|came|comes|has|had|arrived|of|from|fell|who|a|an|male"
            rf"|female)\b)"
        ),
    ),
    (
        "two",
        re.compile(
            rf"(?<![A-Za-z])I, {NAME}(?=, (?:authori[sz]e|hereby|give|consent|certify|understand|request|am|was"
            rf"|have|declare|agree|confirm|the)\b)"
        ),
    ),
)
SIGNATURES: Contexts = (
    (
        "two",
        re.compile(
            rf"(?i:sincerely|regards|respectfully|yours (?:truly|faithfully)|best wishes|best|cheers|many thanks"
            rf"|thanks|thank you|cordially|signed|love"
            rf"|warmly)(?: yours)?[,.!]?[ \t]*\n+[ \t]*(?:{_TITLE}\.? )?{NAME}(?={_CREDENTIAL}[ \t,]*(?:\n|$|,))"
        ),
    ),
)
