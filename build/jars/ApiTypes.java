import static java.util.stream.Collectors.joining;

import java.lang.classfile.AttributedElement;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassSignature;
import java.lang.classfile.FieldModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.MethodSignature;
import java.lang.classfile.Signature;
import java.lang.classfile.Signature.ArrayTypeSig;
import java.lang.classfile.Signature.BaseTypeSig;
import java.lang.classfile.Signature.ClassTypeSig;
import java.lang.classfile.Signature.TypeArg;
import java.lang.classfile.Signature.TypeParam;
import java.lang.classfile.Signature.TypeVarSig;
import java.lang.classfile.TypeAnnotation;
import java.lang.classfile.TypeAnnotation.TypePathComponent;
import java.lang.classfile.attribute.RecordComponentInfo;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.constant.ClassDesc;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Types as they stand in a source file, with their arguments and the annotations upon them. */
final class ApiTypes {
  private final List<TypeAnnotation> annotations;

  private ApiTypes(AttributedElement element) {
    annotations =
        element.findAttribute(Attributes.runtimeVisibleTypeAnnotations()).stream()
            .flatMap(all -> all.annotations().stream())
            .toList();
  }

  static String name(ClassEntry type) {
    return name(type.asSymbol());
  }

  static String name(ClassDesc type) {
    return name(type.descriptorString().substring(1, type.descriptorString().length() - 1));
  }

  private static String name(String internal) {
    String name = internal.replace('/', '.').replace('$', '.');
    return name.matches("java\\.lang\\.[A-Z].*") ? name.substring("java.lang.".length()) : name;
  }

  // ---- declarations

  /** The type parameters of a type, what comes next, and those of its supertypes that are shown. */
  static String declared(ClassModel type, String next, Predicate<String> shown) {
    var types = new ApiTypes(type);
    ClassSignature signature =
        type.findAttribute(Attributes.signature())
            .map(found -> found.asClassSignature())
            .orElseGet(() ->
                ClassSignature.of(
                    ClassTypeSig.of(type.superclass().orElseThrow().asSymbol()),
                    type.interfaces().stream()
                        .map(each -> ClassTypeSig.of(each.asSymbol()))
                        .toArray(ClassTypeSig[]::new)));
    var supertypes = new ArrayList<String>();
    String superclass = types.supertype(signature.superclassSignature(), 65535);
    if (!superclass.matches("Object|Record|Enum<.*")) {
      supertypes.add(superclass);
    }
    for (int i = 0; i < signature.superinterfaceSignatures().size(); i++) {
      supertypes.add(types.supertype(signature.superinterfaceSignatures().get(i), i));
    }
    supertypes.removeIf(name -> !shown.test(name.replaceFirst("<.*", "")));
    return types.parameters(signature.typeParameters())
        + next
        + (supertypes.isEmpty() ? "" : " extends " + String.join(", ", supertypes));
  }

  private String supertype(Signature type, int index) {
    return show(
        type,
        target ->
            target instanceof TypeAnnotation.SupertypeTarget of && of.supertypeIndex() == index);
  }

  static String ofField(FieldModel field) {
    Signature type =
        field
            .findAttribute(Attributes.signature())
            .map(found -> found.asTypeSignature())
            .orElseGet(() -> Signature.of(field.fieldTypeSymbol()));
    return new ApiTypes(field).show(type, target -> target instanceof TypeAnnotation.EmptyTarget);
  }

  static String ofComponent(RecordComponentInfo component) {
    Signature type =
        component
            .findAttribute(Attributes.signature())
            .map(found -> found.asTypeSignature())
            .orElseGet(() -> Signature.of(component.descriptorSymbol()));
    return new ApiTypes(component)
        .show(type, target -> target instanceof TypeAnnotation.EmptyTarget);
  }

  /** From the type parameters to the throws clause. */
  static String ofMethod(
      MethodModel method, String name, boolean varargs, List<ClassEntry> exceptions) {
    var types = new ApiTypes(method);
    MethodSignature signature =
        method
            .findAttribute(Attributes.signature())
            .map(found -> found.asMethodSignature())
            .orElseGet(() -> MethodSignature.of(method.methodTypeSymbol()));
    List<? extends Signature> thrown =
        signature.throwableSignatures().isEmpty()
            ? exceptions.stream().map(each -> Signature.of(each.asSymbol())).toList()
            : signature.throwableSignatures();
    String parameters = types.parameters(signature.typeParameters());
    boolean constructor = method.methodName().equalsString("<init>");
    String arguments =
        IntStream.range(0, signature.arguments().size())
            .mapToObj(i ->
                types.show(
                    signature.arguments().get(i),
                    target ->
                        target instanceof TypeAnnotation.FormalParameterTarget of
                            && of.formalParameterIndex() == i))
            .collect(joining(", ", "(", ")"));
    return (parameters.isEmpty() ? "" : parameters + " ")
        + (constructor
            ? ""
            : types.show(signature.result(), target -> target instanceof TypeAnnotation.EmptyTarget)
                + " ")
        + name
        + (varargs ? arguments.replaceFirst("\\[]\\)$", "...)") : arguments)
        + (thrown.isEmpty()
            ? ""
            : thrown.stream()
                .map(each -> types.show(each, target -> false))
                .collect(joining(", ", " throws ", "")));
  }

  private String parameters(List<TypeParam> parameters) {
    if (parameters.isEmpty()) {
      return "";
    }
    return IntStream.range(0, parameters.size())
        .mapToObj(i -> parameter(parameters.get(i), i))
        .collect(joining(", ", "<", ">"));
  }

  private String parameter(TypeParam parameter, int index) {
    var bounds = new ArrayList<String>();
    // Bound 0 is that of a class, which may be missing; the others are of interfaces.
    parameter.classBound().ifPresent(bound -> bounds.add(bound(bound, index, 0)));
    for (int i = 0; i < parameter.interfaceBounds().size(); i++) {
      bounds.add(bound(parameter.interfaceBounds().get(i), index, i + 1));
    }
    bounds.remove("Object");
    return parameter.identifier()
        + (bounds.isEmpty() ? "" : " extends " + String.join(" & ", bounds));
  }

  private String bound(Signature bound, int parameter, int index) {
    return show(
        bound,
        target ->
            target instanceof TypeAnnotation.TypeParameterBoundTarget of
                && of.typeParameterIndex() == parameter
                && of.boundIndex() == index);
  }

  // ---- types

  private String show(Signature type, Predicate<TypeAnnotation.TargetInfo> target) {
    return show(type, target, List.of());
  }

  private String show(
      Signature type, Predicate<TypeAnnotation.TargetInfo> target, List<TypePathComponent> path) {
    return switch (type) {
      case BaseTypeSig base -> ClassDesc.ofDescriptor("" + base.baseType()).displayName();
      case TypeVarSig variable -> upon(target, path) + variable.identifier();
      case ArrayTypeSig array ->
          show(array.componentSignature(), target, add(path, TypePathComponent.ARRAY))
              + upon(target, path).replaceFirst("(.+) $", " $1 ")
              + "[]";
      case ClassTypeSig named -> named(named, target, path);
    };
  }

  private String named(
      ClassTypeSig type,
      Predicate<TypeAnnotation.TargetInfo> target,
      List<TypePathComponent> path) {
    String name =
        type.outerType()
            .map(outer -> name(outer.className()) + "." + type.className())
            .orElseGet(() -> name(type.className()));
    List<TypeArg> arguments = type.typeArgs();
    return upon(target, path)
        + name
        + (arguments.isEmpty()
            ? ""
            : IntStream.range(0, arguments.size())
                .mapToObj(i ->
                    argument(
                        arguments.get(i),
                        target,
                        add(path, TypePathComponent.of(TypePathComponent.Kind.TYPE_ARGUMENT, i))))
                .collect(joining(", ", "<", ">")));
  }

  private String argument(
      TypeArg argument, Predicate<TypeAnnotation.TargetInfo> target, List<TypePathComponent> path) {
    List<TypePathComponent> bound = add(path, TypePathComponent.WILDCARD);
    return switch (argument) {
      case TypeArg.Unbounded _ -> upon(target, path) + "?";
      case TypeArg.Bounded wild ->
          switch (wild.wildcardIndicator()) {
            case NONE -> show(wild.boundType(), target, path);
            case EXTENDS -> "? extends " + show(wild.boundType(), target, bound);
            case SUPER -> "? super " + show(wild.boundType(), target, bound);
          };
    };
  }

  private static List<TypePathComponent> add(List<TypePathComponent> path, TypePathComponent step) {
    return Stream.concat(path.stream(), Stream.of(step)).toList();
  }

  /** The annotations upon the type at the end of a path. */
  private String upon(Predicate<TypeAnnotation.TargetInfo> target, List<TypePathComponent> path) {
    return annotations.stream()
        .filter(each -> target.test(each.targetInfo()) && isAt(each.targetPath(), path))
        .map(each -> name(each.annotation().classSymbol()))
        .map(name -> "@" + name.substring(name.lastIndexOf('.') + 1) + " ")
        .sorted()
        .collect(joining());
  }

  /** Steps into nested types are passed over: no type of ours has annotations on its outer one. */
  private static boolean isAt(List<TypePathComponent> actual, List<TypePathComponent> path) {
    return actual.stream()
        .filter(step -> step.typePathKind() != TypePathComponent.Kind.INNER_TYPE)
        .map(step -> step.typePathKind() + "/" + step.typeArgumentIndex())
        .toList()
        .equals(
            path.stream()
                .map(step -> step.typePathKind() + "/" + step.typeArgumentIndex())
                .toList());
  }
}
