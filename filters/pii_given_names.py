"""Given names of many peoples as written in Latin letters: what tells `my son Ethan` from `my son Called`.

Written down for this step from common knowledge: the frequent names of the United States and Britain and, beside them,
those of other peoples that stand in English clinical text. Names that are more often words (Will, Hope, Christian) are left
out: a label or a title still finds them.
"""

_GIVEN = """
aaron abby abdul abdullah abigail abraham ada adam adele adrian adriana agnes agnieszka ahmad ahmed aidan aisha ajay akira
alan alana alba albert alberto alejandra alejandro alex alexa alexander alexandra alexei alexis alfonso alfred ali alice
alicia alina alison allan allen allison alma alvin alyssa amal amanda amara amber amelia amina amir amit amy ana anastasia
anders andre andrea andreas andrei andres andrew andy angel angela angelica angelina angelo anil anita anjali ann anna
annabelle anne annette annie anthony antoine antonia antonio anya april archie ariana arjun arlene armando arnold arthur
arturo asha ashley ashok astrid audrey aurora austin ava ayesha barbara barry beatrice beatriz becky belinda ben benjamin
bernadette bernard bernice beth bethany betsy betty beverly bianca bill billy bjorn blake bob bobby bonnie boris brad bradley
brandon brenda brendan brent brett brian bridget brittany brooke bruce bruno bryan bryce caleb calvin cameron camila camille
candace carl carla carlos carmen carol carole carolina caroline carolyn carrie casey cassandra catherine cathy cecilia cedric
celeste cesar chad charlene charles charlie charlotte chelsea cheryl chiara chidi chinedu chloe chris christina christine
christopher chukwuemeka cindy claire clara clarence claudia clayton clifford clint clyde cody cole colin colleen connie connor
conrad constance cora corey cornelius courtney craig cristina crystal curtis cynthia daisy dale damian dan dana daniel daniela
danielle danny daphne darius darlene darren darryl dave david dawn dean deanna debbie deborah debra deepak deepika della
denise dennis derek derrick devon diana diane diego dimitri dirk dmitri dolores dominic dominique don donald donna dora doreen
doris dorothy doug douglas duncan dustin dwayne dwight dylan earl ebony eddie edgar edith edmund eduardo edward edwin eileen
elaine eleanor elena eli elias elijah elisa elizabeth ella ellen ellie elliot elsa elsie emeka emi emil emily emma emmanuel
enrique eric erica erik erika erin ernest ernesto esperanza esteban esther ethan ethel eugene eunice eva evan evelyn evgeny
fabian farah fatima fatimah felicia felipe felix fernando finn fiona florence frances francesca francine francis francisco
frank franklin fred freddie frederick frieda gabriel gabriela gail gareth gary gavin gemma gene geoffrey george georgia
georgina gerald geraldine gerard gerardo gertrude gianna gilbert gina giovanni gisela giulia gladys glen glenda glenn gloria
gonzalo gordon grace graham greg gregory greta guadalupe guillermo gustavo gwen gwendolyn hailey hamza hank hannah hans harold
harriet harris harry harvey hassan hazel heather hector heidi helen helena helga henrietta henrik henry herbert herman hilda
hiroshi holly howard hugh hugo hussein ian ibrahim ida ignacio igor imran ines ingrid ioana irene irina iris irma irving isaac
isabel isabella isaiah ivan ivy jacinta jack jackie jacob jacqueline jacques jade jaime jake jamal james jamie jan jane janet
janice jared jasmine jason javier jay jayden jean jeanette jeff jeffrey jen jenna jennifer jenny jeremiah jeremy jerome jerry
jesse jessica jesus jia jill jillian jim jimmy joan joanna joanne joao jodi joe joel joey johan johann johanna john johnny jon
jonah jonas jonathan jordan jorge jose josef joseph josephine josh joshua joyce juan juanita juanito judith judy julia julian
juliana julie juliet julio jun june justin kai kamal karen karim karina karl karla kate katelyn katherine kathleen kathryn
kathy katie katrina kavita kay kayla keiko keith kelly ken kendra kenji kenneth kent kerry kevin khadija khaled kim kimberly
kiran kirk kirsten klaus kofi kristen kristin kristina kumar kurt kwame kyle kylie lakshmi lamar lana lance lara larry lars
latoya laura lauren laurence laurie lawrence leah lee leila lena leo leon leona leonard leonardo leroy leslie leticia levi
lewis liam lidia lila lillian lily linda lindsay lindsey linh lisa liz lloyd logan lois lola lonnie lora loren lorenzo loretta
lori lorraine louis louise luca lucas lucia lucille lucy luis luisa lukas luke luther lydia lyle lynn mabel mackenzie
madeleine madison maggie mahmoud malcolm malik mandy manuel marc marcel marcia marco marcos marcus margaret margarita maria
mariam marian marianne marie marilyn mario marion marisa marisol marjorie marlene marsha marta martha martin martina marvin
mary maryam mateo mathew matilda matt matteo matthew maureen maurice max maxine maya meera megan mehmet mei melanie melinda
melissa melvin mercedes meredith mia michael michaela michel michele michelle miguel mihai mikael mike mikhail mildred milena
miles milton mina minh miranda miriam mitchell mohamed mohammad mohammed molly mona monica monique morgan moses muhammad
mustafa myra myrtle nadia nadine nancy naomi natalia natalie natasha nathan nathaniel neha neil nellie nelson nguyen nicholas
nick nicola nicolas nicole nigel nikhil nikolai nina noah noel noelle nora norma norman oksana olga oliver olivia ollie olu
omar orlando osama oscar otto owen pablo paige pam pamela paola patricia patrick paul paula paulina pauline pedro peggy
penelope penny percy peter petra phil philip phillip phyllis pierre piotr polly pooja prakash preeti priscilla priya priyanka
quentin quincy rachel rafael rahul raj rajesh ralph ramon ramona randall randy raquel rashid ravi ray raymond rebecca reggie
regina reginald renata rene renee rhonda ricardo richard rick ricky riley rita rob robert roberta roberto robin rocio rodney
rodrigo roger roland rolando roman ron ronald ronnie rory rosa rosalie rosario roseanne rosemary ross roxanne roy ruben ruby
rudolf rupert russell ruth ryan sabrina sadie saeed said salim sally salma salvador sam samantha samir samira samuel sandeep
sandra sandy sanjay santiago sara sarah sasha saul scott sean sebastian selena sergei sergio seth shane shannon sharon shaun
shawn sheila shelby sheldon shelley sherri sherry shirley siddharth sidney silvia simon simone siobhan sofia sonia sonya
sophia sophie stacey stacy stan stanley stefan stefano stella stephanie stephen steve steven stuart sue sunil sunita suresh
susan susanna suzanne sven svetlana sylvia tabitha tamara tamika tanya tara tariq tasha tatiana taylor ted terence teresa
terrance terrence terri terry tessa thelma theo theodore theresa thomas tiffany tim timothy tina tobias todd tom tomas tommy
toni tony tonya tracey traci tracy travis trevor tricia trisha troy tyler tyrone ursula usha valentina valeria valerie vanessa
vera vernon veronica vicki vicky victor victoria vijay vikram vincent viola violet virginia vivian viviana vladimir wade
wallace walter wanda warren wayne wei wendy wesley wilbur wilfred wilhelm willard william willie wilma winifred winston
wolfgang xavier ximena xin yasmin yolanda yosef youssef yuki yuri yusuf yvette yvonne zachary zahra zainab zara zhang zoe
zofia
"""
_SURNAMES = """
adams alexander allen anderson bailey baker barnes bell bennett brooks brown bryant butler campbell carter castillo chan chang
chavez chen cheng clark cohen coleman collins cook cooper cox cruz davis diaz edwards evans fernandez fisher fitzgerald flores
ford foster garcia gomez gonzales gonzalez graham gray green griffin gutierrez hall hamilton harris harrison hayes henderson
hernandez hill howard huang hughes jackson jenkins johnson jones jordan kelly kennedy khan kim king kumar lee lewis li lin liu
long lopez marshall martin martinez mcdonald mendoza miller mitchell moore morales morgan morris murphy murray myers nelson
nguyen nowak obrien olson ortiz owens park parker patel patterson perez perkins perry peterson pham phillips powell price
ramirez ramos reed reyes reynolds rice richardson rivera roberts robinson rodriguez rogers rojas romero rosen ross ruiz
russell ryan sanchez sanders schmidt schneider scott shah sharma shaw silva simmons simpson singh smith stevens stewart
sullivan tanaka taylor thomas thompson torres tran turner vargas wagner walker wallace wang ward watson webb weber wells west
white williams wilson wong wood woods wright wu yamamoto yang young zhang zhao zhou
"""
GIVEN_NAMES = frozenset(_GIVEN.split())
"""In lower case."""
SURNAMES = frozenset(_SURNAMES.split())
"""Frequent ones, in lower case: for names that are written without capitals, and words that are surnames too."""
