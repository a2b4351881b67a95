import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.lang.classfile.Annotation;
import java.lang.classfile.AttributedElement;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.FieldModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.attribute.ExceptionsAttribute;
import java.lang.classfile.attribute.InnerClassInfo;
import java.lang.classfile.attribute.ModuleAttribute;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.reflect.AccessFlag;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The public API of a jar as text, one line for each type and member: what code outside of it can
 * be compiled or linked against. Made of the class files alone, so that what they use need not be
 * there. Names of parameters are left out, since no code depends on them.
 */
final class Api {
  private static final Set<AccessFlag> SHOWN =
      Set.of(
          AccessFlag.PROTECTED,
          AccessFlag.STATIC,
          AccessFlag.FINAL,
          AccessFlag.ABSTRACT,
          AccessFlag.VOLATILE);

  private static final String PROPERTIES = "META-INF/spring-configuration-metadata.json";
  private static final Pattern PROPERTY =
      Pattern.compile("\\{\\s*\"name\": \"([^\"]+)\",\\s*\"type\": \"([^\"]+)\"[^{}]*}");
  private static final Pattern DEFAULT = Pattern.compile("\"defaultValue\": ([^\\n]+)");

  private final Map<String, ClassModel> types = new TreeMap<>();
  private final List<String> properties = new ArrayList<>();
  private Optional<ModuleAttribute> module = Optional.empty();
  private String automatic = "";

  private Api() {}

  /** The listing of a jar. */
  static String of(Path jar) throws IOException {
    var api = new Api();
    try (var file = new JarFile(jar.toFile())) {
      api.automatic =
          String.valueOf(file.getManifest().getMainAttributes().getValue("Automatic-Module-Name"));
      for (var entry : file.stream().filter(each -> each.getName().endsWith(".class")).toList()) {
        ClassModel type = ClassFile.of().parse(file.getInputStream(entry).readAllBytes());
        type.findAttribute(Attributes.module()).ifPresent(found -> api.module = Optional.of(found));
        api.types.put(ApiTypes.name(type.thisClass()), type);
      }
      if (file.getEntry(PROPERTIES) != null) {
        byte[] text = file.getInputStream(file.getEntry(PROPERTIES)).readAllBytes();
        api.addProperties(new String(text, StandardCharsets.UTF_8));
      }
    }
    return api.text();
  }

  private String text() {
    List<String> lines = new ArrayList<>();
    lines.add(moduleLine());
    for (ClassModel type : types.values()) {
      if (isVisible(type)) {
        lines.add("");
        lines.add(header(type));
        members(type).sorted().distinct().forEach(member -> lines.add("  " + member));
      }
    }
    if (!properties.isEmpty()) {
      lines.add("");
      lines.addAll(properties);
    }
    return String.join("\n", lines) + "\n";
  }

  /** Spring Boot's list of what users may configure: a property is an object without others. */
  private void addProperties(String metadata) {
    String list = metadata.substring(metadata.indexOf("\"properties\""));
    PROPERTY
        .matcher(list)
        .results()
        .map(found -> {
          var preset = DEFAULT.matcher(found.group());
          String value = preset.find() ? " = " + preset.group(1).replaceFirst(",$", "") : "";
          return "property " + found.group(1) + ": " + found.group(2) + value;
        })
        .sorted()
        .forEach(properties::add);
  }

  private String moduleLine() {
    if (module.isEmpty()) {
      return "automatic module " + automatic;
    }
    ModuleAttribute named = module.get();
    Stream<String> requires =
        named.requires().stream()
            .map(each ->
                "requires "
                    + (each.requiresFlags().contains(AccessFlag.STATIC_PHASE) ? "static " : "")
                    + flags(each.requiresFlags(), Set.of(AccessFlag.TRANSITIVE))
                    + each.requires().name().stringValue());
    Stream<String> exports =
        named.exports().stream()
            .map(each ->
                "exports "
                    + each.exportedPackage().name().stringValue().replace('/', '.')
                    + (each.exportsTo().isEmpty()
                        ? ""
                        : each.exportsTo().stream()
                            .map(to -> to.name().stringValue())
                            .sorted()
                            .collect(joining(", ", " to ", ""))));
    return "module "
        + named.moduleName().name().stringValue()
        + Stream.concat(requires, exports).sorted().map("\n  "::concat).collect(joining());
  }

  // ---- types

  private boolean isVisible(ClassModel type) {
    String name = type.thisClass().asInternalName();
    if (name.endsWith("module-info") || !isExported(name)) {
      return false;
    }
    if (name.endsWith("package-info")) {
      return !annotations(type).isEmpty();
    }
    Optional<InnerClassInfo> inner = inner(type);
    if (inner.isEmpty()) {
      return type.flags().has(AccessFlag.PUBLIC);
    }
    Optional<ClassEntry> outer = inner.get().outerClass();
    return outer.isPresent()
        && isOpen(inner.get().flags())
        && isVisible(types.get(ApiTypes.name(outer.get())));
  }

  private boolean isHidden(String type) {
    return types.containsKey(type) && !isVisible(types.get(type));
  }

  private boolean isExported(String type) {
    String inPackage = type.substring(0, type.lastIndexOf('/'));
    return module.isEmpty()
        || module.get().exports().stream()
            .anyMatch(each ->
                each.exportsTo().isEmpty()
                    && each.exportedPackage().name().stringValue().equals(inPackage));
  }

  private static boolean isOpen(Set<AccessFlag> flags) {
    return flags.contains(AccessFlag.PUBLIC) || flags.contains(AccessFlag.PROTECTED);
  }

  private static Optional<InnerClassInfo> inner(ClassModel type) {
    return type.findAttribute(Attributes.innerClasses()).stream()
        .flatMap(all -> all.classes().stream())
        .filter(each -> each.innerClass().equals(type.thisClass()))
        .findFirst();
  }

  private String header(ClassModel type) {
    if (ApiTypes.name(type.thisClass()).endsWith("package-info")) {
      String name = ApiTypes.name(type.thisClass());
      return annotations(type) + "package " + name.substring(0, name.lastIndexOf('.'));
    }
    Set<AccessFlag> flags = inner(type).map(InnerClassInfo::flags).orElse(type.flags().flags());
    String kind = kind(type);
    var words = new StringBuilder(annotations(type));
    // What the kind implies is left out.
    words.append(
        switch (kind) {
          case "interface", "@interface", "enum", "record" -> "";
          default -> flags(flags, Set.of(AccessFlag.ABSTRACT, AccessFlag.FINAL));
        });
    if (flags.contains(AccessFlag.PROTECTED)) {
      words.append("protected ");
    }
    if (inner(type).isPresent() && kind.equals("class") && flags.contains(AccessFlag.STATIC)) {
      words.append("static ");
    }
    var permits = type.findAttribute(Attributes.permittedSubclasses());
    if (permits.isPresent() && !kind.equals("enum")) {
      words.append("sealed ");
    }
    words.append(kind).append(' ').append(ApiTypes.name(type.thisClass()));
    words.append(
        ApiTypes.declared(
            type, kind.equals("record") ? components(type) : "", name -> !isHidden(name)));
    if (permits.isPresent() && !kind.equals("enum")) {
      // Code outside can name those alone that are visible.
      String named =
          permits.get().permittedSubclasses().stream()
              .map(ApiTypes::name)
              .filter(name -> !isHidden(name))
              .sorted()
              .collect(joining(", "));
      words.append(named.isEmpty() ? "" : " permits " + named);
    }
    return words.toString().stripTrailing();
  }

  private static String kind(ClassModel type) {
    if (type.flags().has(AccessFlag.ANNOTATION)) {
      return "@interface";
    }
    if (type.flags().has(AccessFlag.INTERFACE)) {
      return "interface";
    }
    if (type.flags().has(AccessFlag.ENUM)) {
      return "enum";
    }
    return type.findAttribute(Attributes.record()).isPresent() ? "record" : "class";
  }

  private static String components(ClassModel type) {
    return type.findAttribute(Attributes.record()).orElseThrow().components().stream()
        .map(each -> ApiTypes.ofComponent(each) + " " + each.name().stringValue())
        .collect(joining(", ", "(", ")"));
  }

  // ---- members

  /** Its own, and what it inherits from a class that users cannot name. */
  private Stream<String> members(ClassModel type) {
    String superclass = type.superclass().map(ApiTypes::name).orElse("");
    Stream<String> inherited =
        isHidden(superclass)
            ? members(types.get(superclass)).filter(member -> !member.startsWith(superclass + "("))
            : Stream.empty();
    return Stream.concat(declaredMembers(type), inherited);
  }

  private Stream<String> declaredMembers(ClassModel type) {
    Stream<String> fields =
        type.fields().stream().filter(each -> isListed(each.flags().flags())).map(this::field);
    Stream<String> methods =
        type.methods().stream()
            .filter(each -> isListed(each.flags().flags()))
            .map(each -> method(type, each));
    return Stream.concat(fields, methods);
  }

  private static boolean isListed(Set<AccessFlag> flags) {
    return isOpen(flags) && !flags.contains(AccessFlag.SYNTHETIC);
  }

  private String field(FieldModel field) {
    String value =
        field
            .findAttribute(Attributes.constantValue())
            .map(constant -> " = " + constant.constant().constantValue())
            .orElse("");
    return annotations(field)
        + flags(field.flags().flags(), SHOWN)
        + ApiTypes.ofField(field)
        + " "
        + field.fieldName().stringValue()
        + value;
  }

  private String method(ClassModel type, MethodModel method) {
    boolean ofInterface = type.flags().has(AccessFlag.INTERFACE);
    Set<AccessFlag> flags = method.flags().flags();
    boolean isDefault =
        ofInterface && !flags.contains(AccessFlag.ABSTRACT) && !flags.contains(AccessFlag.STATIC);
    boolean varargs = flags.contains(AccessFlag.VARARGS);
    String name = method.methodName().stringValue();
    var thrown =
        method
            .findAttribute(Attributes.exceptions())
            .map(ExceptionsAttribute::exceptions)
            .orElse(List.of());
    return annotations(method)
        + (isDefault ? "default " : "")
        + flags(flags, SHOWN)
        + ApiTypes.ofMethod(
            method,
            name.equals("<init>") ? ApiTypes.name(type.thisClass()) : name,
            varargs,
            thrown);
  }

  private static String flags(Set<AccessFlag> flags, Set<AccessFlag> shown) {
    return flags.stream()
        .filter(shown::contains)
        .sorted()
        .map(flag -> flag.name().toLowerCase(Locale.ROOT) + " ")
        .collect(joining());
  }

  /** Those of the declaration; those of types stand beside the types. */
  private static String annotations(AttributedElement element) {
    return element.findAttribute(Attributes.runtimeVisibleAnnotations()).stream()
        .flatMap(all -> all.annotations().stream())
        .map(Api::annotation)
        .sorted()
        .map(name -> name + " ")
        .collect(joining());
  }

  private static String annotation(Annotation annotation) {
    return "@" + ApiTypes.name(annotation.classSymbol());
  }
}
