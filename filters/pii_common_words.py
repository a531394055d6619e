"""Capitalised words that end or deny a name in English forms and notes: `John Smith Age: 45`, `Patient: Denies pain`."""

_TABLE = """
president vaccine human institute
a abdomen abdominal about above absent abstract academy account acetaminophen active acute address admission admit admitted
african again age aged ah aims all allergic allergies allergy already alright also always am american amoxicillin an analysis
and anonymous any anyway apiculture appears appendix apple appointment april are as asian aspirin assessment associates
association asthmatic at attending august australian authority authorized avenue aww background bacteria because bed before
being better bid birth black blood bmi board both bp breast british brought buddhist but by bye cad calcium call can can't
canadian cancer cardiac cardiology care catholic caucasian cell center centre certainly chapter chart chatdoctor chest chf
chief child chinese christian chronic city client clinic clinical code codeine cold colleague colleagues college come comes
commission committee company complains complaint conclusion conclusions condition confidential confirmed congratulations
consent consulting contact contacted continue coordinator coordinators copd corporation correct could couldn't council county
ct current currently customer cva daily data date day days death deceased december defense definitely denied denies department
describes design diabetes diabetic diagnosed diagnosis did didn't died disabled discharge discharged discussion disease
divorced dm do doc doctor does doesn't doing don't done dose drive drug due dvt east ecg editor education eeg ekg email
emergency employer english er european evaluation every everybody everyone exactly exam examination except experiencing expert
experts eyes facility family father fax february feeling feels female fever figure file find fine first folks follow followup
for forum foundation french friday friend friends from full fully gender gene general gentlemen german getting given glacier
glad god goes going gonna good google got grade great group guest guys had happy hardfork has have hbv hcv he he's head health
heart hello help her here hers hi him hindu his hispanic history hiv hm hmm home hospital hospitalized house how however hr
htn husband hypertensive i i'd i'll i'm i've ibuprofen icu id identification if illness im imaging in inc indian information
institute insulin insurance intake interested internet interventions introduction iron is isn't it it's its iv january
japanese java jewish july june just keyboard kidney known lab laboratories laboratory labs ladies lane language last left
legal let like limited linux liver location look looking looks lord low lung maam madam mainnet male mam many march marital
married may maybe md me measures medicaid medical medicare medication medications medicine medium member metformin methods mi
microsoft mild miss mm mmhmm moderate monday more morphine most mostly mother mr mri mrn mrs ms much muslim must my n/a na nah
name named national neck negative neurology never new next nil nka nkda no none nope nor normal north not note notes notified
november now number nurse objective objectives occupation october of office oh ok okay old on once oncology one only oops or
order other our outcome outpatient overall pain participants partner patient patients pe pediatric pending perfect pharma
pharmaceuticals phase phone physical physician plan please pm po policy pos positive possible pregnant presentation presented
presently presents prior prn probably problem procedure protein provider psychiatric python qhs qid quite ra race radiology
raising rather rbc reader readers really receptor recommend record records redacted reference references referred refused
regarding regular relationship remained reported reports request required resident results retired review reviewed right road
room rr safety same santa satisfaction saturday school score section see seen self september server services setting several
severe sex she she's should sign signature signed since single sir sirs skin so social society software some someone something
sometimes somewhat sorry sort sounds source south spanish specialist spo2 ssn stable staff stage state states statistical
status still street stress student studio study subject such sunday supplementary sure surgeon surgery surgical symptoms
systems table takes taking tba tbd team technologies tel telephone test testnet thank thanks that that's the their them then
there there's these they they're this those three through thursday tia tid time to today together tolerated tomorrow too total
transfer transferred treatment trial trying tuesday tumor tumour two tylenol type ugh uh um unable under understand unemployed
unfortunately unit university unknown unspecified until up update urgent us use user users using usually uti vegan vegetarian
very via virtual virus visit visual vitamin volume wait want wants warfarin was wasn't wbc we we're web wednesday weight
welcome well were west what when where which white who whom why widow widowed wife will windows with withheld without woman
women won't work would wow x-ray yeah year years yep yes yesterday you you're your yours zip
"""
COMMON_WORDS = frozenset(_TABLE.split())
"""In lower case."""
