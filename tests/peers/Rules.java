import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import software.amazon.event.ruler.JsonRuleCompiler;
import software.amazon.event.ruler.Machine;

/**
 * Asks event-ruler, the library that EventBridge matches with. Reads {"patterns": [...], "events": [...]} from standard
 * input, and answers with a list per pattern: the events' numbers that match, or the text of the refusal.
 */
class Rules {
    public static void main(String[] arguments) throws Exception {
        ObjectMapper mapper = new ObjectMapper();
        JsonNode given = mapper.readTree(System.in);
        ArrayNode answers = mapper.createArrayNode();
        for (JsonNode pattern : given.get("patterns")) {
            String refusal = JsonRuleCompiler.check(pattern.toString());
            if (refusal != null) {
                answers.add(refusal);
                continue;
            }
            Machine machine = new Machine();
            machine.addRule("rule", pattern.toString());
            ArrayNode matched = answers.addArray();
            for (int i = 0; i < given.get("events").size(); i++) {
                if (!machine.rulesForJSONEvent(given.get("events").get(i).toString()).isEmpty()) {
                    matched.add(i);
                }
            }
        }
        System.out.println(answers);
    }
}
