// The hospital's side of the tests: HAPI HL7v2's server, client and parser as they are.

import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.HL7Exception;
import ca.uhn.hl7v2.HapiContext;
import ca.uhn.hl7v2.app.Connection;
import ca.uhn.hl7v2.app.HL7Service;
import ca.uhn.hl7v2.llp.MinLowerLayerProtocol;
import ca.uhn.hl7v2.model.Message;
import ca.uhn.hl7v2.parser.ParserConfiguration;
import ca.uhn.hl7v2.parser.PipeParser;
import ca.uhn.hl7v2.parser.UnexpectedSegmentBehaviourEnum;
import ca.uhn.hl7v2.protocol.ReceivingApplication;
import ca.uhn.hl7v2.util.Terser;
import ca.uhn.hl7v2.validation.impl.ValidationContextFactory;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

public final class Counterpart {
  private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  /** serve PORT | send HOST PORT FILE... | parse FOLDER */
  public static void main(String[] arguments) throws Exception {
    List<String> rest = List.of(arguments).subList(1, arguments.length);
    switch (arguments[0]) {
      case "serve" -> serve(Integer.parseInt(rest.get(0)));
      case "send" -> send(rest.get(0), Integer.parseInt(rest.get(1)), rest.subList(2, rest.size()));
      case "parse" -> parse(Path.of(rest.get(0)));
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  private static HapiContext context(boolean strict) {
    HapiContext context = new DefaultHapiContext();
    MinLowerLayerProtocol protocol = new MinLowerLayerProtocol(true);
    context.setLowerLayerProtocol(protocol);
    if (strict) {
      context.setValidationContext(ValidationContextFactory.defaultValidation());
      ParserConfiguration rules = context.getParserConfiguration();
      rules.setUnexpectedSegmentBehaviour(UnexpectedSegmentBehaviourEnum.THROW_HL7_EXCEPTION);
      rules.setInvalidObx2Type(null);
    } else {
      context.setValidationContext(ValidationContextFactory.noValidation());
    }
    return context;
  }

  /** Answers AA; a line for each message: structure, trigger, control id, PID-5.1, PID-5.2. */
  private static void serve(int port) throws Exception {
    HL7Service service = context(true).newServer(port, false);
    service.registerApplication(
        new ReceivingApplication<Message>() {
          @Override
          public Message processMessage(Message message, Map<String, Object> metadata) {
            try {
              tell(message);
              return message.generateACK();
            } catch (Exception problem) {
              throw new IllegalStateException(problem);
            }
          }

          @Override
          public boolean canProcess(Message message) {
            return true;
          }
        });
    service.startAndWait();
    OUT.println("ready");
    System.in.read();
    System.exit(0);
  }

  private static void tell(Message message) throws HL7Exception {
    Terser terser = new Terser(message);
    OUT.println(
        String.join(
            "\t",
            message.getName(),
            terser.get("/MSH-9-2"),
            terser.get("/MSH-10"),
            String.valueOf(terser.get("/.PID-5-1")),
            String.valueOf(terser.get("/.PID-5-2"))));
  }

  /** A line for each file: MSA-1, MSA-2. Files are in UTF-8; the message's charset is MSH-18. */
  private static void send(String host, int port, List<String> files) throws Exception {
    HapiContext context = context(false);
    PipeParser parser = context.getPipeParser();
    Connection connection = context.newClient(host, port, false);
    connection.getInitiator().setTimeout(20, java.util.concurrent.TimeUnit.SECONDS);
    for (String file : files) {
      Message message = parser.parse(Files.readString(Path.of(file)));
      Terser answer = new Terser(connection.getInitiator().sendAndReceive(message));
      OUT.println(answer.get("/MSA-1") + "\t" + answer.get("/MSA-2"));
    }
    connection.close();
    context.close();
  }

  /** A line for each file: its name, and its structure or what is wrong. */
  private static void parse(Path folder) throws Exception {
    PipeParser parser = context(true).getPipeParser();
    List<Path> files;
    try (Stream<Path> found = Files.list(folder)) {
      files = found.sorted().toList();
    }
    for (Path file : files) {
      String told;
      try {
        String text = Files.readString(file, Charset.forName("UTF-8"));
        Message message = parser.parse(text);
        boolean same = parser.encode(message).equals(text);
        told = message.getClass().getSimpleName() + "\t" + same;
      } catch (HL7Exception problem) {
        told = "wrong\t" + problem.getMessage();
      }
      OUT.println(file.getFileName() + "\t" + told);
    }
  }
}
